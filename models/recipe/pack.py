"""Packs the models into the files that ship.

    python pack.py WORK MODELS

reads WORK/table.npy (of table.py) and the sparse model, and writes MODELS/vocab.txt,
splade-tiny-i4.bin, static-s128i4.bin and expand-top16.bin. `models/README.md` describes the files.
"""

import gzip
import sys
from pathlib import Path

import numpy as np

from bert import CLS, SEP, sparse

GROUP = 32
POSITIONS = 256
EXPANSIONS = 16
EXPANSION_WEIGHT = 60
STOP_WORDS = """a about above after again all am an and any are as at be because been before being below between both
but by can could did do does doing down during each few for from further had has have having he her here hers him his
how i if in into is it its itself me more most my no nor not of off on once only or other our ours out over own same
she should so some such than that the their them then there these they this those through to too under until up very
was we were what when where which while who whom why will with would you your""".split()


def main(work, models):
    model = sparse()
    pieces = [model.tokenizer.id_to_token(row) for row in range(model.tokenizer.get_vocab_size())]
    kept = np.array([row for row, piece in enumerate(pieces) if is_kept(piece)])
    write(models, "vocab.txt", "\n".join(pieces[row] for row in kept).encode())
    write(models, "splade-tiny-i4.bin", pack_sparse(model, kept))
    write(models, "static-s128i4.bin", int4(np.load(Path(work, "table.npy"))[kept], 128))
    write(models, "expand-top16.bin", pack_expansions(expansions(model), kept))


def is_kept(piece):
    """Pieces in ASCII, and the two that open and close a text."""
    special = piece.startswith("[unused") or piece in ("[PAD]", "[UNK]", "[MASK]")
    return piece.isascii() and not special


def write(folder, name, data):
    Path(folder, name).write_bytes(data)
    print(f"{name}: {len(data):,} bytes, {len(gzip.compress(data, 9)):,} with gzip")


def pack_sparse(model, kept):
    """The weights in the order of the file that they come in, which is that of its names."""
    packed = b""
    for name in sorted(model.names, key=model.names.get):
        weight = model.weights[name]
        if name == "embeddings.word_embeddings.weight":
            packed += int4(weight[kept], GROUP)
        elif name == "cls.predictions.bias":
            packed += halves(weight[kept])
        elif name == "embeddings.position_embeddings.weight":
            packed += int8(weight[:POSITIONS])
        elif name == "embeddings.token_type_embeddings.weight":
            packed += halves(weight[0])
        elif weight.ndim == 2:
            packed += int8(weight)
        else:
            packed += halves(weight)
    return packed


def halves(values):
    return values.astype(np.float16).tobytes()


def int8(matrix):
    """A byte a value, then a scale for each row."""
    scales = np.maximum(np.abs(matrix).max(1, keepdims=True) / 127, 1e-8).astype(np.float16)
    values = np.clip(np.rint(matrix / scales.astype(np.float32)), -127, 127)
    return values.astype(np.int8).tobytes() + scales.tobytes()


def int4(matrix, group):
    """Two values a byte, then a scale for each group of columns: the one of four that errs least."""
    groups = matrix.reshape(len(matrix), -1, group)
    largest = np.maximum(np.abs(groups).max(2, keepdims=True) / 7, 1e-8)
    best = None
    for part in (1.0, 0.9, 0.8, 0.7):
        scales = (largest * part).astype(np.float16).astype(np.float32)
        # A row of zeros has a scale of 0.
        values = np.divide(groups, scales, out=np.zeros_like(groups), where=scales > 0)
        values = np.clip(np.rint(values), -7, 7)
        error = ((values * scales - groups) ** 2).sum(2, keepdims=True)
        if best is None:
            best = error, values, scales
        else:
            better = error < best[0]
            best = tuple(np.where(better, new, old) for new, old in zip((error, values, scales), best))
    _, values, scales = best
    halved = (values.astype(np.int16).reshape(matrix.shape) & 15).astype(np.uint8)
    return (halved[:, ::2] | halved[:, 1::2] << 4).tobytes() + halves(scales)


def expansions(model):
    """What the sparse model predicts for each piece alone: its strongest terms of all."""
    count = model.tokenizer.get_vocab_size()
    for rows in np.array_split(np.arange(count), 120):
        alone = np.stack([np.full_like(rows, CLS), rows, np.full_like(rows, SEP)], 1)
        for weights in model.term_weights(model.encode(alone)[:, 1]):
            yield weights


def pack_expansions(weights, kept):
    """For each piece: how many terms, their rows, their weights."""
    place = {row: at for at, row in enumerate(kept)}
    packed = {}
    for row, weights in enumerate(weights):
        terms = np.argsort(-weights)[:EXPANSIONS]
        terms = [term for term in terms if weights[term] > 0 and term in place]
        rows = np.array([place[term] for term in terms], np.uint16)
        stored = np.clip(np.rint(weights[terms] * EXPANSION_WEIGHT), 1, 255).astype(np.uint8)
        packed[row] = bytes([len(terms)]) + rows.tobytes() + stored.tobytes()
    return b"".join(packed[row] for row in kept)


if __name__ == "__main__":
    main(*sys.argv[1:])
