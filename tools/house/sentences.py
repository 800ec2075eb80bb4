"""Every sentence that the API can send to a person, read off the code as a template.

``f"There is no key {key_id!r}."`` is ``There is no key {0}.``: the key under which the catalogues
have its Polish. Over-collecting is cheap (one line more to translate), so whatever reads like a
sentence counts, wherever it stands, except in docstrings, logs and faults of the programmer.
"""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from tools.house.honesty import dotted
from tools.house.tree import Tree

CATALOGUE = "sentences.pl.toml"
CORE = "venom_core/language/" + CATALOGUE
#: What only the terminal shows; its helps are read off the commands, by a test of the terminal.
TERMINAL = "venom_core/language/terminal.pl.toml"
HELP = "venom_core/language/help.pl.toml"
ON_THE_TERMINAL = (
    "venom_core/cli/",
    "venom_core/plugins/doctor.py",
    "venom_core/installing/sources.py",
    "venom_core/installing/installer.py",
    "venom_core/installing/uninstaller.py",
    "venom_core/installing/wheels.py",
)
#: What is shown nowhere, or in English alone; the fakes speak to tests.
NOT_SHOWN = (
    "venom_core/language/polish.py",  # it is where the Polish is made
    "venom_core/accounting/metering.py",
    "venom_core/plugins/reasons.py",  # the documentation's
    "venom_core/testing/",
    "venom_core/cli/dates.py",  # it speaks both
    "venom_core/cli/log_lines.py",
    "venom_core/cli/sd_notify.py",  # to the system's service manager
    "venom_core/ui/",
)
#: How a plugin is examined: its words are for engines and reports.
NOT_SHOWN_OF_PLUGINS = "conformance.py"
#: Calls whose words stay in the log or with the programmer.
_PRIVATE = re.compile(
    r"(\w+\.)*(log|logger|_log)\.\w+|re\.(compile|search)|Field"
    r"|warnings\.warn|BreachError"
    r"|(Key|Type|Value|Runtime|Attribute|Import|NotImplemented|Lookup)Error"
    r"|(\w+\.)*(execute|exec_driver_sql|sendall)"
)
# Two words of which the second is no name ("Gemma 3 4B"), a full stop, or four words of any kind.
_SENTENCE = re.compile(
    r"(?!SELECT |PRAGMA )(?=.*[a-z]{2})"
    r"(([A-Z]|\{0\})\S* (.* )?[(]?[a-z]{2}.*|.* .*\.|\S+( \S+){3,})"
)
#: A fix that is a command alone is the same in every language.
_COMMAND = re.compile(r"venom [^;]*[^.;]")
#: A licence's name is its name; a warm-up is a question to a model that knows English only.
_PRIVATE_KEYWORDS = ("license", "warm_up")
_HOLE = re.compile(r"\{\d+\}")


@dataclass(slots=True)
class Texts:
    """The texts of the code under one catalogue, and the sentences with the file that has each."""

    texts: set[str] = field(default_factory=set)
    sentences: dict[str, str] = field(default_factory=dict)


def collect(tree: Tree) -> dict[str, Texts]:
    """Return the texts of the code, by the catalogue's file."""
    found: dict[str, Texts] = {}
    for name in tree.matching(".py"):
        parts = PurePosixPath(name).parts
        core = parts[0] == "venom_core" and not name.startswith(NOT_SHOWN)
        shown = parts[2:3] == parts[1:2] and parts[-1] != NOT_SHOWN_OF_PLUGINS
        if core or (parts[0] == "plugins" and shown):
            catalogue = CORE if core else "/".join((*parts[:3], CATALOGUE))
            ours = found.setdefault(
                TERMINAL if name.startswith(ON_THE_TERMINAL) else catalogue, Texts()
            )
            for template, is_sentence in templates(tree.nodes(name)[0]):
                ours.texts.add(template)
                if is_sentence:
                    ours.sentences.setdefault(template, name)
    if CORE in found:
        found[CORE].texts.update(_descriptions(tree))
    return found


def _descriptions(tree: Tree) -> Iterator[str]:
    """Yield what each plugin says it is: the API offers those that are not installed, and so are
    their own catalogues."""
    for name in tree.matching(".toml", under="plugins"):
        if name.endswith("/pyproject.toml"):
            yield tomllib.loads(tree.text(name)).get("project", {}).get("description", "")


def templates(module: ast.AST) -> Iterator[tuple[str, bool]]:
    """The texts of one module as they stand in a catalogue, each with whether it is a sentence:
    a catalogue may have Polish for mere words too, which stand in a sentence's holes."""
    for node, is_fix in _strings(module):
        template = _template(node).strip()
        wordy = _SENTENCE.fullmatch(template) or (is_fix and " " in template)
        words = re.search(r"[a-z]{2}", _HOLE.sub("", template))
        yield template, bool(wordy and words and not _COMMAND.fullmatch(template))


def _strings(node: ast.AST, is_fix: bool = False) -> Iterator[tuple[ast.expr, bool]]:
    if isinstance(node, ast.Constant):
        if isinstance(node.value, str):
            yield node, is_fix
        return
    if isinstance(node, ast.JoinedStr):
        yield node, is_fix
        for part in node.values:  # words chosen inside a hole
            if isinstance(part, ast.FormattedValue):
                yield from _strings(part.value)
        return
    if isinstance(node, ast.Call) and _PRIVATE.fullmatch(dotted(node.func)):
        return
    if isinstance(node, ast.Assert) or (isinstance(node, ast.Expr) and _is_text(node.value)):
        return
    if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "_HELP":
        return  # the test of the helps reads it
    if isinstance(node, ast.keyword) and node.arg in _PRIVATE_KEYWORDS:
        return
    decorators = node.decorator_list if isinstance(node, ast.FunctionDef) else []
    for child in ast.iter_child_nodes(node):
        if child not in decorators:  # patterns for an upstream's words
            yield from _strings(child, isinstance(node, ast.keyword) and node.arg == "fix")


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def _template(node: ast.expr) -> str:
    if isinstance(node, ast.Constant):
        return str(node.value)
    assert isinstance(node, ast.JoinedStr)
    text, holes = "", 0
    for part in node.values:
        if isinstance(part, ast.Constant):
            text += str(part.value)
        else:
            text, holes = f"{text}{{{holes}}}", holes + 1
    return text


def check(tree: Tree) -> list[str]:
    found = collect(tree)
    if CORE not in found or not found[CORE].sentences:
        return ["venom_core/: no sentence found; did they move?"]
    return [
        problem
        for catalogue, ours in found.items()
        for problem in _compare(tree, catalogue, ours, found[CORE].texts)
    ]


def _compare(tree: Tree, catalogue: str, ours: Texts, core: set[str]) -> Iterator[str]:
    try:
        known = tomllib.loads(tree.text(catalogue)) if tree.has(catalogue) else {}
    except tomllib.TOMLDecodeError as error:
        yield f"{catalogue}: {error}"
        return
    # A sentence of the terminal may be one of the API's too, or a help's.
    more = (CORE, HELP) if catalogue == TERMINAL else ()
    said = ours.texts | (core if catalogue == TERMINAL else set())
    elsewhere = {text for name in more if tree.has(name) for text in tomllib.loads(tree.text(name))}
    for text, where in ours.sentences.items():
        if text not in known and text not in elsewhere:
            yield f"{catalogue}: no Polish for {text!r} of {where}"
    for text, polish in known.items():
        if text not in said:
            yield f"{catalogue}: nothing says {text!r} any more"
        elif set(_HOLE.findall(text)) != set(_HOLE.findall(polish.replace("*}", "}"))):
            yield f"{catalogue}: the Polish of {text!r} has other holes"
