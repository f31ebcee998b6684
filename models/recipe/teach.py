"""Has the teacher encode the gathered texts, and spans of them that look like queries.

    python teach.py WORK

reads WORK/texts.json and writes WORK/taught.npz. It takes hours.
"""

import json
import random
import sys
import time
from pathlib import Path

import numpy as np

from bert import CLS, SEP, teacher

LONGEST = 80
SPANS = 15_000


def main(work):
    random.seed(3)
    texts = json.loads(Path(work, "texts.json").read_text())
    passages, pairs = texts["passages"], texts["pairs"]
    spans = [span(text) for text in random.sample(passages, SPANS)]
    short, long = zip(*pairs)
    everything = [*passages, *spans, *short, *long]

    model = teacher()
    rows = [row[:LONGEST] for row in model.tokens(everything)]
    vectors = encode(model, rows)
    first = len(passages) + len(spans)
    np.savez(
        Path(work, "taught.npz"),
        vectors=vectors.astype(np.float16),
        rows=np.concatenate([np.array(row, np.int32) for row in rows]),
        lengths=np.array([len(row) for row in rows]),
        pairs=np.array([[first + at, first + len(short) + at] for at in range(len(short))]),
        pieces=piece_vectors(model).astype(np.float16),
    )


def span(text):
    words = text.split()
    length = random.randint(3, 14)
    start = random.randint(0, max(0, len(words) - length))
    return " ".join(words[start : start + length])


def encode(model, rows):
    """The mean state of each text, with length 1. Texts of one length are encoded together."""
    order = sorted(range(len(rows)), key=lambda at: len(rows[at]))
    vectors = np.zeros((len(rows), 384), np.float32)
    began, done = time.time(), 0
    while done < len(order):
        length = len(rows[order[done]])
        batch = [at for at in order[done : done + max(1, 4096 // (length + 2))] if len(rows[at]) == length]
        states = model.encode(np.array([[CLS, *rows[at], SEP] for at in batch]))
        vectors[batch] = unit(states.mean(1))
        if done // 2000 != (done + len(batch)) // 2000:
            print(f"{done} of {len(order)}, {time.time() - began:.0f} s", flush=True)
        done += len(batch)
    return vectors


def piece_vectors(model):
    """What the teacher makes of each word piece alone."""
    pieces = np.arange(model.tokenizer.get_vocab_size())
    alone = lambda rows: model.encode(np.stack([np.full_like(rows, CLS), rows, np.full_like(rows, SEP)], 1))
    return np.concatenate([alone(rows)[:, 1] for rows in np.array_split(pieces, 60)])


def unit(vectors):
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9)


if __name__ == "__main__":
    main(*sys.argv[1:])
