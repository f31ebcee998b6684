# What schemathesis cannot take from the description: MessagePack, lines of JSON, and which made-up
# values have a meaning. Requests that are meant to be wrong stay as they were made.

import json
from zlib import crc32

import msgpack
import schemathesis

# What the store holds when the run begins; see `seed` in contract.test.mjs.
SEEDED = {"global": "global", "project": "shop", "branch": "checkout", "task": "fix-1"}

# Integers outside of 64 bits are refused, and a JSON Schema for "any value" cannot say so.
LEAST, MOST = -(2**63), 2**64 - 1


@schemathesis.serializer("application/msgpack")
def pack(ctx, value):
    return msgpack.packb(bounded(value))


@schemathesis.serializer("application/x-ndjson")
def write_lines(ctx, value):
    if isinstance(value, str):
        return value.encode()
    # No lines at all are a right body.
    lines = value if isinstance(value, list) and value else [value]
    return "\n".join(json.dumps(bounded(line)) for line in lines).encode()


@schemathesis.deserializer("application/msgpack")
def unpack(ctx, response):
    return msgpack.unpackb(response.content, strict_map_key=True)


@schemathesis.hook
def filter_case(ctx, case):
    # The runtime does not tell an empty header from none.
    return all(case.headers.values()) if case.headers else True


@schemathesis.hook
def before_call(ctx, case, kwargs):
    headers = case.headers
    if headers is not None and chance(case, "accept", 4):
        headers["Accept"] = "application/msgpack"
    meta = case.meta
    if meta is None or not meta.generation.mode.is_positive:
        return
    case.body = bounded(case.body)
    path = case.path_parameters or {}
    if "level" in path and "id" in path:
        # The global level has one context, and two requests in three ask for one that is there.
        if path["level"] == "global" or not chance(case, "id", 3):
            path["id"] = SEEDED.get(path["level"], path["id"])
        # Only branches and tasks choose their parent.
        if path["level"] in ("global", "project") and isinstance(case.body, dict):
            case.body.pop("parent", None)
    query = case.query or {}
    # Cursors are given by the answer before.
    query.pop("cursor", None)
    # One or the other.
    if "version" in query:
        query.pop("at", None)
    # States that have been: times before 1970 and commits to come are none.
    for name in {"at", "from", "to"} & query.keys():
        if case.operation.path.endswith(("resolved", "resolved/diff", "{id}")):
            query[name] = crc32(str(query[name]).encode()) % 5
    # Which project: in the query or in the body.
    if "project" in query and isinstance(case.body, dict) and "project" in case.body:
        query["project"] = case.body["project"]


def chance(case, what, one_in):
    """The same for the same case, so that a failure can be repeated."""
    made = (what, case.operation.label, case.path_parameters, case.query, case.body)
    return crc32(repr(made).encode("utf-8", "replace")) % one_in == 0


def bounded(value):
    if isinstance(value, dict):
        return {name: bounded(member) for name, member in value.items()}
    if isinstance(value, list):
        return [bounded(item) for item in value]
    if isinstance(value, int) and not isinstance(value, bool):
        return value if LEAST <= value <= MOST else float(value % 2**53)
    return value
