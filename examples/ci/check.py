"""Checks a folder of layers, as a step of a pipeline.

    python check.py [--component nacre-resolver.wasm] [--update] [FOLDER]

FOLDER (this one, if none is named) holds `layers/`, files of contexts as an export has them (one
JSON object in a `.json` file, one a line in an `.ndjson` file), and `views/<level>/<id>.json`, the
views that nobody should change without noticing. It fails when

- a pinned view is no longer what the layers make of it: it says where, and which layer decides;
- a context is wrong in itself: a lock broken, a secret in the clear, a parent missing.

`--update` pins the views as they are now; the change then shows in the review. A new view is
pinned by an empty file in `views/`.
"""

import argparse
import json
import sys
from pathlib import Path

from wasmtime import Engine, Store
from wasmtime.component import Component, Linker, Record, Variant

LEVELS = ["global", "project", "branch", "task"]


class Nacre:
    """The component's functions, by interface and name."""

    def __init__(self, path):
        engine = Engine()
        self.store = Store(engine)
        component = Component.from_file(engine, str(path))
        self.instance = Linker(engine).instantiate(self.store, component)

    def __call__(self, interface, name, *given):
        of = self.instance.get_export_index(self.store, f"nacre:context/{interface}@0.2.0")
        index = self.instance.get_export_index(self.store, name, of)
        function = self.instance.get_func(self.store, index)
        answer = function(self.store, *given)
        function.post_return(self.store)
        if isinstance(answer, Variant):  # says which it is where an answer is a record, like an error
            failed, answer = answer.tag == "err", answer.payload
        else:
            failed = isinstance(answer, Record)
        if failed:
            raise ValueError(f"{answer.code}: {answer.detail}")
        return answer


def record(**members):
    made = Record()
    vars(made).update(members)
    return made


def members(pairs):
    """An object, whose names come once: the second would silently win otherwise."""
    names = [name for name, _ in pairs]
    if twice := {name for name in names if names.count(name) > 1}:
        raise ValueError(f"twice in one object: {', '.join(sorted(twice))}")
    return dict(pairs)


def read_layers(folder):
    """Every context of the folder, with the file it stands in."""
    contexts = []
    for path in sorted(folder.rglob("*.json")) + sorted(folder.rglob("*.ndjson")):
        text = path.read_text(encoding="utf-8")
        for line in text.splitlines() if path.suffix == ".ndjson" else [text]:
            if line.strip():
                file = path.relative_to(folder.parent).as_posix()
                try:
                    context = json.loads(line, object_pairs_hook=members)
                except ValueError as error:
                    raise ValueError(f"{file}: {error}") from None
                contexts.append(context | {"file": file})
    return contexts


def chain_of(contexts, level, id):
    """A context with those above it, global first; what is missing is the linter's to tell."""
    chain = []
    while (context := contexts.get((level, id))) is not None:
        chain.insert(0, context)
        if level == "global":
            break
        level, id = LEVELS[LEVELS.index(level) - 1], context.get("parent") or "global"
    return chain


def layer(context):
    data, rules = (json.dumps(context.get(part) or {}) for part in ("data", "rules"))
    return record(level=context["level"], id=context["id"], data=data, rules=rules)


def lint(nacre, contexts):
    """What is wrong with the layers, worst first."""
    given = []
    for context in contexts:
        made = layer(context)
        try:
            nacre("resolver", "[static]prepared-layer.prepare", made)
        except ValueError as error:
            raise ValueError(f"{context['file']}: {error}") from None
        address = record(level=made.level, id=made.id)
        parent = context.get("parent")
        given.append(record(address=address, parent=parent, data=made.data, rules=made.rules))
    order = ["error", "warning", "note"]
    findings = nacre("lint", "check", given, None)
    return sorted(findings, key=lambda finding: order.index(finding.severity))


def under(path, other):
    """Whether a pointer is another one, or leads to something in it."""
    return f"{path}/".startswith(f"{other}/")


def changes(nacre, pinned, view, chain, secret):
    """What is different in a view: what to do to the pinned one, and which layer says so. Reports
    end up in logs, so what may be a secret is not shown."""
    origins = {}
    for origin in nacre("resolver", "explain", [layer(context) for context in chain]).origins:
        origins[origin.pointer] = chain[origin.layer]
    for operation in json.loads(nacre("resolver", "diff", pinned, view)):
        path = operation["path"]
        inside = [context for at, context in origins.items() if under(at, path)]
        around = [context for at, context in origins.items() if under(path, at)]
        files = sorted({context["file"] for context in inside or around})
        value = f" {json.dumps(operation['value'])}" if "value" in operation else ""
        if value and any(under(path, at) or under(at, path) for at in secret):
            value = " (not shown)"
        told = f"  ({', '.join(files)})" if files else ""
        yield f"{operation['op']} {path}{value}{told}"


def main():
    here = Path(__file__).parent
    parser = argparse.ArgumentParser(description="Checks a folder of layers.")
    parser.add_argument("folder", nargs="?", type=Path, default=here)
    parser.add_argument("--component", type=Path, default=here / "nacre-resolver.wasm")
    parser.add_argument("--update", action="store_true", help="pin the views as they are now")
    arguments = parser.parse_args()
    try:
        return check(Nacre(arguments.component), arguments.folder, arguments.update)
    except ValueError as error:
        print(f"error: {error}")
        return 1


def check(nacre, folder, update):
    layers = read_layers(folder / "layers")
    contexts = {(context["level"], context["id"]): context for context in layers}
    failed = 0
    secret = set()
    for finding in lint(nacre, layers):
        address = finding.address
        file = contexts[address.level, address.id]["file"]
        where = f"{file}: {address.level}/{address.id} {finding.pointer or '(whole)'}"
        print(f"{finding.severity}: {finding.kind}: {where}\n    {finding.message}")
        failed += finding.severity == "error"
        if finding.kind in ("secret-in-clear", "credential-in-clear"):
            secret.add(finding.pointer)
    if failed and update:
        print("\nnothing is pinned while the layers themselves are wrong")
        return 1

    views = sorted((folder / "views").rglob("*.json"))
    for path in views:
        level, id = path.parent.name, path.stem
        chain = chain_of(contexts, level, id)
        if not chain:
            print(f"error: {level}/{id} is pinned, and gone: delete {path} if that is meant")
            failed += 1
            continue
        view = nacre("resolver", "resolve", [layer(context) for context in chain])
        if update:
            pretty = json.dumps(json.loads(view), indent=2, ensure_ascii=False)
            path.write_text(pretty + "\n", encoding="utf-8")
            continue
        pinned = nacre("resolver", "canonical", path.read_text(encoding="utf-8").strip() or "{}")
        if pinned != view:
            print(f"error: the view of {level}/{id} is not what is pinned:")
            for change in changes(nacre, pinned, view, chain, secret):
                print(f"    {change}")
            failed += 1

    if failed:
        print(f"\n{failed} to mend; if a view is meant to change, run this with --update")
    else:
        done = "pinned" if update else "as pinned"
        print(f"{len(layers)} contexts are sound, {len(views)} views are {done}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
