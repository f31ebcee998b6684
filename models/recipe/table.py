"""Trains the static table: one vector for each word piece, whose sum is near to what the teacher says.

    python table.py WORK

reads WORK/taught.npz and writes WORK/table.npy, in a minute or two. The table begins as the
teacher's vectors of single pieces, where frequent ones weigh less. Passes over all texts make it
agree with the teacher; passes over the pairs then make a short text nearer to its own long text
than to those of others.
"""

import sys
from pathlib import Path

import numpy as np
from scipy.sparse import csr_matrix

from bert import teacher
from teach import unit

DIMENSIONS = 128
BATCH = 1024
RATE = 1e-3
TEXT_PASSES, PAIR_PASSES = 3, 3
TEMPERATURE = 0.05
RARITY = 1e-4


def main(work):
    taught = np.load(Path(work, "taught.npz"))
    lengths, vectors = taught["lengths"], taught["vectors"].astype(np.float32)
    directions = np.linalg.eigh(vectors.T @ vectors)[1][:, ::-1][:, :DIMENSIONS]
    wanted = unit(vectors @ directions)
    table = first_table(taught["pieces"].astype(np.float32), directions)
    texts = csr_matrix(
        (np.ones(lengths.sum(), np.float32), taught["rows"], np.concatenate([[0], lengths.cumsum()])),
        shape=(len(lengths), len(table)),
    )
    table = train(table, texts, wanted, np.flatnonzero(lengths > 1), taught["pairs"])
    np.save(Path(work, "table.npy"), table)


def first_table(pieces, directions):
    tokenizer = teacher().tokenizer
    names = [tokenizer.id_to_token(row) for row in range(len(pieces))]
    special = np.array([n.startswith("[unused") or n in ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]") for n in names])
    table = unit((pieces - pieces[~special].mean(0)) @ directions)
    # The vocabulary begins with the most frequent pieces, so Zipf's law gives their shares.
    share = 1 / (np.cumsum(~special) + 1)
    share /= share[~special].sum()
    weight = RARITY / (RARITY + share)
    weight[special] = 0
    return (table * weight[:, None]).astype(np.float32)


def train(table, texts, wanted, usable, pairs):
    random = np.random.default_rng(0)
    random.shuffle(usable)
    held, usable = usable[:2000], usable[2000:]
    adam = Adam(table, TEXT_PASSES * (len(usable) // BATCH) + PAIR_PASSES * (len(pairs) // BATCH))
    for number in range(TEXT_PASSES + PAIR_PASSES):
        if number < TEXT_PASSES:
            for batch in batches(random.permutation(usable)):
                adam.step(agree(table, texts, wanted, batch))
        else:
            for batch in batches(random.permutation(pairs)):
                gradient = tell_apart(table, texts, batch)
                batch = random.choice(usable, BATCH)
                adam.step(gradient + 10 * agree(table, texts, wanted, batch))
        cosine = (unit(texts[held] @ table) * wanted[held]).sum(1).mean()
        print(f"pass {number}: cosine {cosine:.4f}", flush=True)
    return table


def batches(order):
    return np.split(order[: len(order) // BATCH * BATCH], len(order) // BATCH)


def agree(table, texts, wanted, batch):
    """The gradient of 1 - cosine with what the teacher says."""
    counts = texts[batch]
    return back(counts, counts @ table, -wanted[batch] / len(batch))


def tell_apart(table, texts, batch):
    """The gradient of the cross-entropy of finding each text's partner among all, in both ways."""
    short, long = texts[batch[:, 0]], texts[batch[:, 1]]
    a, b = short @ table, long @ table
    fits = unit(a) @ unit(b).T / TEMPERATURE
    wrong = (softmax(fits) + softmax(fits.T).T) / 2 - np.eye(len(batch), dtype=np.float32)
    wrong /= TEMPERATURE * len(batch)
    return back(short, a, wrong @ unit(b)) + back(long, b, wrong.T @ unit(a))


def back(counts, sums, gradient):
    """Brings the gradient of unit vectors back to the table."""
    length = np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-9)
    along = sums / length
    return counts.T @ ((gradient - (gradient * along).sum(1, keepdims=True) * along) / length)


def softmax(fits):
    shares = np.exp(fits - fits.max(1, keepdims=True))
    return shares / shares.sum(1, keepdims=True)


class Adam:
    """Adam, with a rate that falls to nearly nothing."""

    def __init__(self, table, steps):
        self.table, self.steps, self.done = table, steps, 0
        self.mean, self.square = np.zeros_like(table), np.zeros_like(table)

    def step(self, gradient):
        self.mean += 0.1 * (gradient - self.mean)
        self.square += 0.001 * (gradient * gradient - self.square)
        rate = RATE * max(0.02, 1 - self.done / self.steps)
        self.done += 1
        mean, square = self.mean / (1 - 0.9**self.done), self.square / (1 - 0.999**self.done)
        self.table -= rate * mean / (np.sqrt(square) + 1e-8)


if __name__ == "__main__":
    main(*sys.argv[1:])
