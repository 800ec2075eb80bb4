"""A docstring says what its thing does, with a verb, and asks no riddle: "Return the models", and
not "Which models there are"."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from tools.house.tree import Tree

FOLDERS = ("venom_core", "plugins", "tools", "bench", "tests")
RIDDLE = re.compile(r"(What|Who|Where|Which|How)\b")
DOCUMENTED = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def check(tree: Tree) -> list[str]:
    return [
        f"{place}: a docstring opens with a question's word: begin with a verb"
        for place, text in openings(tree)
        if RIDDLE.match(text)
    ]


def figure(tree: Tree) -> str:
    """Return how many docstrings open with a question's word, of how many."""
    texts = [text for _, text in openings(tree)]
    riddles = sum(bool(RIDDLE.match(text)) for text in texts)
    return f"{riddles} of {len(texts):,} docstrings open with a question's word"


def openings(tree: Tree) -> Iterator[tuple[str, str]]:
    """Yield place and text of each docstring of modules, classes and functions."""
    for folder in FOLDERS:
        for name in tree.matching(".py", under=folder):
            for node in tree.nodes(name):
                if isinstance(node, DOCUMENTED) and (text := ast.get_docstring(node)):
                    yield f"{name}:{getattr(node, 'lineno', 1)}", text
