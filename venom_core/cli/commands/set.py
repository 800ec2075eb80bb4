"""`venom set`."""

from __future__ import annotations

import json
from typing import Any

import click

from venom_core.cli.assignments import assignment
from venom_core.cli.connection.session import connected
from venom_core.cli.options import json_option
from venom_core.cli.terminal import print_json, print_table
from venom_core.cli.wording import words

_HELP = """Store generation parameters of a model. They fill in what a request leaves open, before
the model's own defaults. Without NAME=VALUE it shows every parameter and its present value.

An empty value forgets one parameter, --reset all of them.

\b
  venom set gemma3:4b
  venom set gemma3:4b temperature=0.2 max_tokens=800
  venom set gemma3:4b temperature=
  venom set gemma3:4b --reset
"""


@click.command("set", help=_HELP)
@click.argument("name", metavar="MODEL")
@click.argument("assignments", nargs=-1, metavar="[NAME=VALUE]...")
@click.option("--reset", is_flag=True, help="Forget what is stored, before anything given here.")
@json_option
def set_parameters(name: str, assignments: tuple[str, ...], reset: bool, as_json: bool) -> None:
    given = dict(map(assignment, assignments))
    writes = bool(given) or reset
    with connected("venom set", writes=writes) as session:
        if writes:
            saved: dict[str, Any] = {}
            if not reset:
                saved = session.run(session.connection.generation(name))["saved"]
            wanted = {key: value for key, value in {**saved, **given}.items() if value != ""}
            session.run(session.connection.configure(name, wanted))
        config = session.run(session.connection.generation(name))
    if as_json:
        print_json(config)
    else:
        _print(config)


def _print(config: dict[str, Any]) -> None:
    print(config["reference"])
    rows = []
    for name, parameter in config["generation_schema"].items():
        sent = name in config["effective"]
        value = _plain(config["effective"][name]) if sent else None
        origin = words(config["origins"].get(name, "engine"))
        rows.append((name, value, origin, _bounds(parameter), words(parameter["desc"])))
    print_table(("PARAMETER", "VALUE", "FROM", "BOUNDS", "MEANING"), rows)


def _bounds(parameter: dict[str, Any]) -> str:
    if options := parameter.get("options"):
        return ", ".join(options)
    low, high = parameter.get("min"), parameter.get("max")
    if low is None:
        return words(str(parameter["type"]))
    if high is None or high > 10**9:
        return f"{words('from')} {low}"
    return f"{low} {words('to')} {high}"


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
