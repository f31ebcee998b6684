"""Says who refuses a document that is no text, the host or the component, and how.

    python refusals.py COMPONENT
"""

import json
import sys

from wasmtime import Engine, Store
from wasmtime.component import Component, Linker

engine = Engine()
store = Store(engine)
nacre = Linker(engine).instantiate(store, Component.from_file(engine, sys.argv[1]))
resolver = nacre.get_export_index(store, "nacre:context/resolver@0.2.0")
canonical = nacre.get_func(store, nacre.get_export_index(store, "canonical", resolver))


def refusal(document):
    try:
        answer = canonical(store, document)
    except (TypeError, ValueError) as error:
        return type(error).__name__
    canonical.post_return(store)
    return answer.code


documents = {"bytes": b"[]", "half a pair": '["\ud800"]', "half a pair, escaped": r'["\ud800"]'}
print(json.dumps({name: refusal(document) for name, document in documents.items()}))
