"""Polish on the command line: by the locale, every help and label, and never in JSON."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from venom_core.cli import helping, main
from venom_core.cli.wording import speaks_polish
from venom_core.language import polish as catalogues

CLI = Path(main.__file__).parent
SPOKEN = {"words", "say", "note", "print_table", "ask", "ask_for", "_say", "tell"}
EXAMPLE = re.compile(r"venom |VENOM|KEY=|git |\[|\{")


@pytest.mark.parametrize(
    ("env", "polish"),
    [
        ({}, False),
        ({"LANG": "pl_PL.UTF-8"}, True),
        ({"LANG": "pl"}, True),
        ({"LANG": "en_US.UTF-8"}, False),
        ({"LANG": "pl_PL.UTF-8", "LC_MESSAGES": "en_GB.UTF-8"}, False),
        ({"LANG": "en_US.UTF-8", "LC_MESSAGES": "pl_PL.UTF-8"}, True),
        ({"LC_ALL": "C.UTF-8", "LANG": "pl_PL.UTF-8"}, False),
        ({"LC_ALL": "pl_PL@euro", "LC_MESSAGES": "en_US"}, True),
        ({"LANGUAGE": "pl", "LANG": "en_US.UTF-8"}, True),
        ({"LANGUAGE": "de:pl:en", "LANG": "en_US.UTF-8"}, True),
        ({"LANGUAGE": "en:pl", "LANG": "pl_PL.UTF-8"}, False),
        ({"LANGUAGE": "pl", "LC_ALL": "C"}, False),
        ({"LANGUAGE": "pl"}, True),
        ({"LC_ALL": "", "LANG": "pl_PL.UTF-8"}, True),
    ],
)
def test_the_locale_decides(env: dict[str, str], polish: bool) -> None:
    assert speaks_polish(env) is polish


def every(command: click.Command, path: str) -> Iterator[tuple[str, click.Command]]:
    yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            assert below is not None
            yield from every(below, f"{path} {name}")


@pytest.mark.parametrize(("path", "command"), list(every(main.cli, "venom")), ids=str)
def test_every_help_has_its_polish(
    path: str, command: click.Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LC_ALL", "pl_PL.UTF-8")
    asked: list[str] = []
    monkeypatch.setattr(helping, "words", lambda text: asked.append(text.strip()) or text)
    command.get_help(click.Context(command, info_name=path))
    catalogue = catalogues._catalogue(terminal=True)
    for text in asked:
        if not re.search(r"[a-z]{3}", text) or EXAMPLE.match(text):
            continue
        parts, at = catalogues._SENTENCE_END.split(text), 0
        while at < len(parts):
            _, count = catalogues._beginning(parts[at:], catalogue)
            said = " ".join(parts[at : at + count])
            # A sentence of holes alone would carry any other over as it is.
            known = catalogue.find(said, None) not in (None, said)
            assert known or EXAMPLE.match(parts[at]), f"help.pl.toml: no Polish for {parts[at]!r}"
            at += count


def test_every_label_has_its_polish() -> None:
    catalogue = catalogues._catalogue(terminal=True)
    missing = []
    for file in CLI.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if not (isinstance(node, ast.Call) and getattr(node.func, "id", "") in SPOKEN):
                continue
            first = node.args[:1]
            labels = first[0].elts if first and isinstance(first[0], ast.Tuple) else first
            for label in labels:
                if isinstance(label, ast.Constant) and isinstance(label.value, str):
                    text = label.value.strip()
                    known = text.startswith("venom ") or catalogue.find(text, None) is not None
                    missing += [] if known or not re.search("[A-Za-z]", text) else [text]
    assert missing == []


def test_a_refusal_in_polish_and_the_same_in_json(cli, monkeypatch: pytest.MonkeyPatch) -> None:
    english = json.loads(cli("show", "nothing", "--json").out)
    monkeypatch.setenv("LANG", "pl_PL.UTF-8")
    monkeypatch.delenv("LC_ALL")
    assert json.loads(cli("show", "nothing", "--json").out) == english
    said = cli("show", "nothing").err.splitlines()
    assert said[0].startswith("Błąd:") and said[2] == "Kod:   model_not_found"
    assert cli("keys", "list").out.startswith("Nie ma klucza.")
    assert cli("alias", "--help").out.startswith("Użycie:")
    assert "Nie ma opcji" in cli("list", "--nothing").err


LISTINGS = [
    *(("list",), ("list", "--available"), ("alias", "list"), ("keys", "list")),
    *(("sessions", "list"), ("operations",), ("use",), ("config", "show"), ("version",)),
]


@pytest.mark.parametrize("arguments", LISTINGS, ids=" ".join)
def test_json_has_no_language(
    arguments: tuple[str, ...], cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    english = json.loads(cli(*arguments, "--json").out)
    monkeypatch.setenv("LC_ALL", "pl_PL.UTF-8")
    assert json.loads(cli(*arguments, "--json").out) == english


def test_the_doctor_says_states_and_reasons_in_polish(cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "pl_PL.UTF-8")
    said = cli("doctor").out
    assert re.search(r"wtyczka scripted +\S+ \S+, wczytana", said)
    assert re.search(r"dostawca scripted +gotowy", said)
