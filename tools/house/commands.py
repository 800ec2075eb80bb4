"""Every `venom ...` command that a sentence tells somebody to run is one that the CLI takes.

Sentences are read off the code as the check of their Polish reads them, and the Polish itself, the
first steps of plugins and the documentation's shell blocks beside them. The real parser is asked,
in a process of its own. What stands in a hole, or in capitals, is somebody's word and stands for
any; what follows a command in the middle of a sentence is prose, and is cut off where the parser
takes what is before it.
"""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import asdict, dataclass

from tools.house.sentences import CATALOGUE, NOT_SHOWN, TERMINAL, templates
from tools.house.subjects import PROBE, path_of
from tools.house.tree import Tree

#: Stands for a hole: a number and a name alike.
HOLE = "1"
# Behind a colon or "then" the whole rest, up to a mark, is the command; so is a text without any.
_INTRODUCED = re.compile(r"(: ?|then:? |potem:? |&& )$")
_END = re.compile(r"[.;,:!?](?= |$)|\)| \(| or | and (?=venom)|&&|#|$")
#: The name of whoever holds the data directory; nobody is told to type it.
_LABEL = re.compile(r"venom [a-z]+( [a-z]+| \{0\})?")
_LABELLED = (
    "venom_core/cli/commands/",
    "venom_core/cli/connection/",
    "venom_core/cli/guide.py",
    "venom_core/cli/uninstalling.py",
)


@dataclass(frozen=True, slots=True)
class Named:
    """A command that something names: its words after ``venom``, and whether they are all its
    own."""

    where: str
    words: list[str]
    whole: bool


def check(tree: Tree) -> list[str]:
    found = list(named(tree))
    if not found:
        return ["venom_core/: no command found in any sentence; did they move?"]
    asked = json.dumps([asdict(one) for one in found])
    done = subprocess.run(
        [sys.executable, str(PROBE), "parse"], env=path_of(tree), input=asked,
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:] or ["no output"]
        return [f"the command line could not be read: {last[0]}"]
    problems: list[str] = json.loads(done.stdout)
    return problems


def named(tree: Tree) -> Iterator[Named]:
    """Yield every command that the tree names, once."""
    seen: set[str] = set()
    for where, text in _texts(tree):
        for one in commands_in(text, where):
            key = f"{one.whole} {shlex.join(one.words)}"
            if key not in seen:
                seen.add(key)
                yield one


def commands_in(text: str, where: str = "") -> Iterator[Named]:
    """Yield the commands of a text; ``{0}`` and its like are holes."""
    bare = text.startswith("venom ") and not re.search(r"[.;]( |$)", text)
    text = re.sub(r"\{\w*\*?\}", HOLE, text.replace("`", ""))
    for found in re.finditer(r"\bvenom (?=[a-z-])", text):
        rest = text[found.end() :]
        end = _END.search(rest)
        words = rest[: end.start() if end else None]
        try:
            split = shlex.split(words)
        except ValueError:  # an apostrophe of the prose behind it
            split = words.split()
        if split:
            yield Named(where, split, bare or bool(_INTRODUCED.search(text[: found.start()])))


def _texts(tree: Tree) -> Iterator[tuple[str, str]]:
    for name in tree.matching(".py", ".toml", ".md"):
        kind = name.rpartition(".")[2]
        if kind == "py":
            texts = _of_code(tree, name)
        elif kind == "toml":
            texts = _of_data(tree, name)
        else:
            texts = _of_pages(tree, name)
        yield from ((name, text) for text in texts)


def _of_code(tree: Tree, name: str) -> Iterator[str]:
    parts = name.split("/")
    shown = parts[0] == "venom_core" and not name.startswith(NOT_SHOWN)
    if shown or (parts[0] == "plugins" and parts[2:3] == parts[1:2]):
        for text, _ in templates(tree.nodes(name)[0]):
            if not (name.startswith(_LABELLED) and _LABEL.fullmatch(text)):
                yield text


def _of_data(tree: Tree, name: str) -> Iterator[str]:
    """Yield the Polish of a catalogue, and the first steps of a plugin."""
    if name.endswith((CATALOGUE, TERMINAL)):
        yield from tomllib.loads(tree.text(name)).values()
    elif name.endswith("/pyproject.toml"):
        venom = tomllib.loads(tree.text(name)).get("tool", {}).get("venom", {})
        yield from venom.get("first_step", {}).get("then", ())


def _of_pages(tree: Tree, name: str) -> Iterator[str]:
    if name.startswith(("docs/", "README")) and not name.startswith("docs/_done/"):
        yield from _shell_lines(tree.text(name))


def _shell_lines(text: str) -> Iterator[str]:
    for block in re.findall(r"^```(?:bash|sh|console)\n(.*?)^```", text, re.DOTALL | re.MULTILINE):
        for line in block.replace("\\\n", " ").splitlines():
            command = re.sub(r"^(\$ )?([A-Z_]+=\S+ )*(\.venv/bin/)?", "", line.strip())
            if command.startswith("venom "):
                yield re.split(r" [|>&]|  #", command)[0]
