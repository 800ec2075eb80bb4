"""`venom alias`."""

from __future__ import annotations

import sys
from typing import Any

import click

from venom_core.cli.connection.session import connected
from venom_core.cli.helping import WordsGroup
from venom_core.cli.options import json_option
from venom_core.cli.terminal import note, print_json, print_table, say

_HELP = """Give models short names, which work wherever a model is named.

\b
  venom alias set fast gemma3:1b
  venom alias list
  venom alias rm fast
"""


@click.group(cls=WordsGroup, help=_HELP)
def alias() -> None:
    """Replaced by ``_HELP``."""


@alias.command("list")
@json_option
def list_aliases(as_json: bool) -> None:
    """Show every alias and what it stands for.

    \b
      venom alias list
    """
    with connected("venom alias list", writes=False) as session:
        answer = session.run(session.connection.aliases())
    if as_json:
        print_json(answer)
    elif not answer["aliases"]:
        say("There is no alias. Make one with: venom alias set NAME MODEL")
    else:
        print_table(
            ("NAME", "STANDS FOR"), [(one["name"], one["target"]) for one in answer["aliases"]]
        )
        sys.stdout.flush()
        for one in answer["aliases"]:
            _warn(one)


@alias.command("set")
@click.argument("name")
@click.argument("target", metavar="MODEL")
@json_option
def set_alias(name: str, target: str, as_json: bool) -> None:
    """Let NAME stand for MODEL: a reference, a bare name or another alias.

    \b
      venom alias set fast gemma3:1b
      venom alias set gpt-4o ollama://gemma3:12b
    """
    with connected("venom alias set", writes=True) as session:
        answer = session.run(session.connection.set_alias(name, target))
    _print(answer, as_json)


@alias.command("rm")
@click.argument("name")
@json_option
def remove_alias(name: str, as_json: bool) -> None:
    """Forget an alias; the model stays.

    \b
      venom alias rm fast
    """
    with connected("venom alias rm", writes=True) as session:
        answer = session.run(session.connection.remove_alias(name))
    _print(answer, as_json)


def _print(answer: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print_json(answer)
    else:
        say(answer["message"])
        sys.stdout.flush()
        _warn(answer)


def _warn(alias: dict[str, Any]) -> None:
    if problem := alias.get("problem"):
        note(f"{problem['message']} {problem['fix'] or ''}".rstrip())
