"""`venom list`."""

from __future__ import annotations

import sys
from typing import Any

import click

from venom_core.cli.connection.session import connected
from venom_core.cli.options import json_option
from venom_core.cli.terminal import note, print_json, print_table, say, size
from venom_core.cli.wording import words

_HELP = """Show the installed models; with --available those that can be fetched by name.

The model marked with * answers where a request names none.

\b
  venom list
  venom list --available
  venom list --json | jq -r '.models[].id'
"""


@click.command("list", help=_HELP)
@click.option("--available", is_flag=True, help="Show what can be fetched, with sizes.")
@json_option
def list_models(available: bool, as_json: bool) -> None:
    with connected("venom list", writes=False) as session:
        if available:
            overview = session.run(session.connection.overview())
            if as_json:
                print_json({"suggestions": overview["suggestions"]})
            else:
                print_suggestions(overview["suggestions"])
            return
        listing = session.run(session.connection.models())
    if as_json:
        print_json(listing)
    else:
        _print_installed(listing)


def _print_installed(listing: dict[str, Any]) -> None:
    if models := listing["models"]:
        away = any(model["runs_at"] for model in models)
        print_table(
            ("NAME", "PROVIDER", "SIZE", "CONTEXT", *(("RUNS",) if away else ()), "CAN"),
            [
                (
                    model["id"] + (" *" if "chat" in model["active_roles"] else ""),
                    model["provider"],
                    size(model["size_bytes"]),
                    model["context_length"],
                    *((model["runs_at"] or "here",) if away else ()),
                    _abilities(model["capabilities"]),
                )
                for model in models
            ],
        )
    else:
        say("No model is installed. See what can be fetched: venom list --available")
    sys.stdout.flush()
    for stale in listing["stale"]:
        # A program that nobody has here is the doctor's and the first screen's to tell.
        if stale["code"] == "engine_missing" and listing["models"]:
            continue
        said = filter(None, (stale["message"], stale["fix"]))
        note(f"{stale['provider']}: {words(' '.join(said))}")
    for left in listing["left_out"]:
        note(f"{left['provider']}: {left['name']} is left out. {words(left['message'])}")


def _abilities(known: list[str] | None) -> str:
    """List the capabilities; a model that no engine serves has none."""
    return words("unknown") if known is None else ", ".join(known) or "-"


def print_suggestions(suggestions: list[dict[str, Any]]) -> None:
    """Print what can be fetched: size, whether it fits, and the command."""
    if not suggestions:
        say("Every model that Venom suggests is installed.")
        return
    print_table(
        ("NAME", "SIZE", "THIS MACHINE", "COMMAND"),
        [
            (
                suggestion["name"],
                size(suggestion["size_bytes"]),
                words(suggestion["fit_message"]),
                suggestion["command"],
            )
            for suggestion in suggestions
        ],
    )
    sys.stdout.flush()
    for suggestion in suggestions:
        if not suggestion["available"] and suggestion["reason"]:
            note(f"{suggestion['name']}: {words(suggestion['reason'])}")
