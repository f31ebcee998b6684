"""Works out in plain numpy, from the packed files, what `tests/native/tests/meaning.json` expects.

    python reference.py MODELS > meaning.json
"""

import json
import sys
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

from bert import Bert
from pack import GROUP, POSITIONS, STOP_WORDS

TEXTS = [
    "cache",
    "the of and",
    "how do I delete a branch",
    "Upgrade Maven Surefire plugin to 3.0.0-M7",
    "experimental investigation of the aerodynamics of a wing in a slipstream",
    "Worker runs out of memory when the log file is rotated while two threads still write to it; "
    "the queue grows until the process is killed.",
    "a long text about storage and users " * 60,
]


class Packed(Bert):
    """The sparse model, read from its packed file."""

    def __init__(self, folder):
        self.pieces = Path(folder, "vocab.txt").read_text().split("\n")
        self.bytes, self.heads, self.layers = Path(folder, "splade-tiny-i4.bin").read_bytes(), 2, 2
        count, weights = len(self.pieces), {}
        weights["embeddings.LayerNorm.bias"] = self.halves(128)
        weights["embeddings.LayerNorm.weight"] = self.halves(128)
        weights["embeddings.position_embeddings.weight"] = self.int8(POSITIONS, 128)
        weights["embeddings.token_type_embeddings.weight"] = self.halves(128)[None]
        weights["embeddings.word_embeddings.weight"] = self.int4(count, 128, GROUP)
        for layer in range(self.layers):
            name = f"encoder.layer.{layer}."
            for part, outputs, inputs in [
                ("attention.output.LayerNorm", 128, 0),
                ("attention.output.dense", 128, 128),
                ("attention.self.key", 128, 128),
                ("attention.self.query", 128, 128),
                ("attention.self.value", 128, 128),
                ("intermediate.dense", 512, 128),
                ("output.LayerNorm", 128, 0),
                ("output.dense", 128, 512),
            ]:
                weights[name + part + ".bias"] = self.halves(outputs)
                weight = self.int8(outputs, inputs) if inputs else self.halves(outputs)
                weights[name + part + ".weight"] = weight
        weights["cls.predictions.bias"] = self.halves(count)
        weights["cls.predictions.transform.LayerNorm.bias"] = self.halves(128)
        weights["cls.predictions.transform.LayerNorm.weight"] = self.halves(128)
        weights["cls.predictions.transform.dense.bias"] = self.halves(128)
        weights["cls.predictions.transform.dense.weight"] = self.int8(128, 128)
        assert not self.bytes
        self.weights = weights
        self.bytes = Path(folder, "static-s128i4.bin").read_bytes()
        self.table = self.int4(count, 128, 128)
        self.tokenizer = tokenizer(self.pieces)
        stop = {row for word in STOP_WORDS for row in self.rows(word)}
        content = [any(c.isalnum() for c in piece) for piece in self.pieces]
        self.content = np.array([c and row > 1 and row not in stop for row, c in enumerate(content)])

    def take(self, count, kind):
        size = np.dtype(kind).itemsize * count
        taken, self.bytes = self.bytes[:size], self.bytes[size:]
        return np.frombuffer(taken, kind)

    def halves(self, count):
        return self.take(count, np.float16).astype(np.float32)

    def int8(self, rows, columns):
        return self.take(rows * columns, np.int8).reshape(rows, -1) * self.halves(rows)[:, None]

    def int4(self, rows, columns, group):
        packed = self.take(rows * columns // 2, np.uint8)
        values = np.stack([packed & 15, packed >> 4], 1).astype(np.int8)
        values = ((values ^ 8) - 8).reshape(rows, -1, group)
        scales = self.halves(rows * columns // group).reshape(rows, -1, 1)
        return (values * scales).reshape(rows, columns)

    def rows(self, text):
        rows = self.tokenizer.encode(text).ids
        return [row for row in rows if row < len(self.pieces)]

    def terms(self, text):
        rows = np.array(self.rows(text)[: POSITIONS - 2])
        states = self.encode(np.array([[0, *rows, 1]]))[0, 1:-1]
        content = self.content[rows]
        weights = self.term_weights(states[content] if content.any() else states).max(0)
        strongest = np.argsort(-weights, kind="stable")[:128]
        return {self.pieces[row]: round(float(weights[row]), 3) for row in strongest if weights[row] > 0.01}

    def vector(self, text):
        total = self.table[self.rows(text)].sum(0)
        return [round(float(number), 4) for number in total / np.linalg.norm(total)]


def tokenizer(pieces):
    rows = {piece: row for row, piece in enumerate([*pieces, "[UNK]"])}
    made = Tokenizer(models.WordPiece(rows, unk_token="[UNK]", max_input_chars_per_word=100))
    made.normalizer = normalizers.BertNormalizer(lowercase=True)
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    return made


def main(folder):
    model = Packed(folder)
    cases = [{"text": t, "vector": model.vector(t), "terms": model.terms(t)} for t in TEXTS]
    print("[\n" + ",\n".join(json.dumps(case) for case in cases) + "\n]")


if __name__ == "__main__":
    main(*sys.argv[1:])
