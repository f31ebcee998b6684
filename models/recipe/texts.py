"""Gathers texts to learn from: documentation in installed Python packages, and WordNet's definitions
when its folder is given. Nothing of the test collections is among them.

    python texts.py WORK [WORDNET]

writes WORK/texts.json: `passages`, and `pairs` of a short text with a longer one on the same thing.
"""

import ast
import html
import json
import random
import re
import sys
from pathlib import Path

from bert import package_folder

PACKAGES = [
    "astropy", "django", "matplotlib", "networkx", "numpy", "pandas", "scipy", "sklearn",
    "sqlalchemy", "statsmodels", "sympy",
]
PASSAGES, PAIRS = 45_000, 20_000
WORDS = 70
TAG = re.compile(r"<[^>]{0,400}>")
PARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")


def main(work, wordnet=None):
    random.seed(7)
    texts = Texts()
    for package in PACKAGES:
        for file in sorted(package_folder(package).rglob("*.py")):
            docstrings(file, texts)
    for file in sorted(package_folder("botocore", "data").glob("*/*/service-2.json*")):
        operations(file, texts)
    if wordnet:
        for file in sorted(Path(wordnet).glob("data.*")):
            definitions(file, texts)
    passages, pairs = sorted(texts.passages), sorted(texts.pairs)
    random.shuffle(passages)
    random.shuffle(pairs)
    found = {"passages": passages[:PASSAGES], "pairs": pairs[:PAIRS]}
    Path(work, "texts.json").write_text(json.dumps(found))
    print(len(passages), "passages,", len(pairs), "pairs; kept", PASSAGES, "and", PAIRS)


class Texts:
    def __init__(self):
        self.passages, self.pairs = set(), set()

    def add(self, text):
        words = text.split()
        letters = sum(c.isalpha() or c == " " for c in text)
        if len(text) < 15 or len(words) < 3 or letters < 0.74 * len(text):
            return
        for start in range(0, len(words), WORDS):
            passage = " ".join(words[start : start + WORDS])
            if len(passage) > 15:
                self.passages.add(passage)

    def pair(self, short, long):
        short, long = short.split(), long.split()[:WORDS]
        if 2 <= len(short) <= 30 and len(long) >= 6:
            self.pairs.add((" ".join(short), " ".join(long)))


def docstrings(file, texts):
    """Each paragraph is a passage; the first belongs to the next, and the name to the first."""
    try:
        tree = ast.parse(file.read_text(encoding="utf-8"))
    except (SyntaxError, UnicodeDecodeError):
        return
    for node in ast.walk(tree):
        if not isinstance(node, (ast.FunctionDef, ast.ClassDef, ast.Module)):
            continue
        paragraphs = (ast.get_docstring(node) or "").split("\n\n")
        paragraphs = [p for p in paragraphs if not re.search(r">>>|---|===|\.\. ", p)]
        for paragraph in paragraphs:
            texts.add(" ".join(paragraph.split()))
        if len(paragraphs) > 1 and len(paragraphs[1]) > 80:
            texts.pair(paragraphs[0], paragraphs[1])
        elif paragraphs and not isinstance(node, ast.Module):
            texts.pair(" ".join(PARTS.findall(node.name)).lower(), paragraphs[0])


def operations(file, texts):
    """What web services do: the name of an operation belongs to its description."""
    import gzip

    data = gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes()
    for operation in json.loads(data).get("operations", {}).values():
        text = " ".join(html.unescape(TAG.sub(" ", operation.get("documentation", ""))).split())
        if len(text) > 80:
            texts.add(text[:600])
            texts.pair(" ".join(PARTS.findall(operation["name"])).lower(), text)


def definitions(file, texts):
    """WordNet: the words of a meaning belong to its definition."""
    for line in file.read_text(encoding="latin-1").splitlines():
        if line.startswith("  ") or "|" not in line:
            continue
        fields, definition = line.split("|", 1)
        fields = fields.split()
        words = [word.replace("_", " ").split("(")[0] for word in fields[4 : 4 + 2 * int(fields[3], 16) : 2]]
        texts.add(f"{', '.join(words)}: {' '.join(definition.split())}")
        texts.pair(" ".join(words), definition)


if __name__ == "__main__":
    main(*sys.argv[1:])
