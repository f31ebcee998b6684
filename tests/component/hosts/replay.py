"""Replays the transcript in Python: every answer has to be the one that the other host gave.

    python replay.py COMPONENT TRANSCRIPT
"""

import json
import sys
from collections import Counter
from pathlib import Path

from wasmtime import Engine, Store
from wasmtime.component import Component, Linker, Record, Variant

COMPONENT, TRANSCRIPT = sys.argv[1:]
PLACES = [("global", "global"), ("project", "p"), ("branch", "b"), ("task", "t"), ("task", "t")]

engine = Engine()
host = Store(engine)
instance = Linker(engine).instantiate(host, Component.from_file(engine, COMPONENT))


class Refused(Exception):
    """An error of the component."""


def function(interface, name):
    """A function that gives its value, or raises what it refuses with."""
    of = instance.get_export_index(host, f"nacre:context/{interface}@0.2.0")
    if not of:  # each component has some of the interfaces
        return None
    call = instance.get_func(host, instance.get_export_index(host, name, of))

    def called(*given):
        answer = call(host, *given)
        call.post_return(host)
        if isinstance(answer, Variant):  # both an answer and an error are records
            tag, answer = answer.tag, answer.payload
        else:
            tag = "err" if isinstance(answer, Record) else "ok"
        if tag == "err":
            raise Refused(answer)
        return answer

    return called


def record(**members):
    made = Record()
    made.__dict__.update(members)
    return made


def chain(layers):
    return [
        record(level=level, id=id, data=data, rules=rules)
        for (data, rules), (level, id) in zip(layers, PLACES)
    ]


def address(shown):
    level, id = shown.split("/")
    return record(level=level, id=id)


def shown(address):
    return address and f"{address.level}/{address.id}"


def of_chain(name):
    call = function("resolver", name)
    return lambda *layers: call(chain(layers))


resolve, hash_of, explain = map(of_chain, ["resolve", "hash", "explain"])
prepare = function("resolver", "[static]prepared-layer.prepare")
resolve_prepared = function("resolver", "resolve-prepared")
lint = function("lint", "check")
create = function("store", "[static]store.create")
open_store = function("store", "[static]store.open")
batch = function("store", "[method]store.batch")
export_lines = function("store", "[method]store.export-lines")
next_part = function("store", "[method]lines.next")
load = function("search", "[static]models.load")
collection = function("search", "[constructor]collection")
put = function("search", "[method]collection.put")
encode = function("search", "[method]collection.encode")
give_vector = function("search", "[method]collection.give-vector")
find = function("search", "[method]collection.find")


def prepared(*layers):
    return resolve_prepared([prepare(layer) for layer in chain(layers)])


def explained(*layers):
    found = explain(*layers)
    return {
        "origins": [[o.pointer, o.layer, o.rule, list(o.shadowed)] for o in found.origins],
        "ignored": [[i.pointer, i.layer, getattr(i, "locked-by")] for i in found.ignored],
    }


def check(*contexts):
    given = [
        record(address=address(at), parent=parent, data=data, rules=rules)
        for at, parent, data, rules in contexts
    ]
    return [
        {
            "bytes": f.bytes, "context": shown(f.address), "kind": f.kind, "message": f.message,
            "other": shown(f.other), "pointer": f.pointer, "severity": f.severity,
        }
        for f in lint(given, None)
    ]


def exported(store):
    lines = export_lines(store, False)
    parts = []
    while (part := next_part(lines)) is not None:
        parts.append(part)
    return "".join(parts)


def in_store(*bodies):
    store = create("alice", b"\x01" * 32)

    def answer(count, body):
        made = batch(store, body, count * 1000, count.to_bytes(8, "little") + bytes(24))
        return [made.body, made.seq, made.etag, made.replayed]

    answers = [answer_of(lambda: answer(count, body)) for count, body in enumerate(bodies, 1)]
    return {"answers": answers, "export": exported(store)}


MODELS = Path(__file__).parent / "../../../models"
FILES = ["vocab.txt", "static-s128i4.bin", "expand-top16.bin", "splade-tiny-i4.bin"]


def search(contexts, vectors, with_models, questions):
    models = load(*[(MODELS / name).read_bytes() for name in FILES]) if with_models else None
    of = collection()
    for context in contexts:
        put(of, *context)
    for at, vector in vectors:
        give_vector(of, address(at), vector)
    meanings = []
    while with_models and (encoded := encode(of, models)) is not None:
        meanings.append([shown(encoded.address), bytes(encoded.meaning).hex()])
    return {
        "answers": [answer_of(lambda: find(of, question, models)) for question in questions],
        "meanings": meanings,
    }


CALLS = {
    "resolve": resolve,
    "resolve-prepared": prepared,
    "explain": explained,
    "hash": hash_of,
    "diff": function("resolver", "diff"),
    "merge-patch": function("resolver", "merge-patch"),
    "json-patch": function("resolver", "json-patch"),
    "append": function("resolver", "append"),
    "unset": function("resolver", "unset"),
    "canonical": function("resolver", "canonical"),
    "check": check,
    "open": lambda lines: exported(open_store("alice", lines, b"\x01" * 32)),
    "store": in_store,
    "search": search,
}


def answer_of(call):
    try:
        return {"ok": call()}
    except Refused as refused:
        (error,) = refused.args
        members = ("kind", "code", "detail", "pointer", "document")
        return {"error": {name: getattr(error, name) for name in members}}


counts = Counter()
with open(TRANSCRIPT, encoding="utf-8") as lines:
    for line in map(json.loads, lines):
        answer = answer_of(lambda: CALLS[line["call"]](*line["arguments"]))
        expected = {name: line[name] for name in ("ok", "error") if name in line}
        if answer != expected:
            sys.exit(f"{line['topic']}: {line['title']}\n  got {answer}\n  not {expected}")
        counts[line["topic"]] += 1
print(json.dumps(counts))
