"""The engines that run now, beside the environments that they need."""

from __future__ import annotations

from typing import Any

from venom_core.cli.connection.session import connected
from venom_core.cli.dates import spoken
from venom_core.cli.environments import environment_records, show_environments
from venom_core.cli.terminal import note, print_json, print_table, say, size
from venom_core.cli.wording import words
from venom_core.sdk.errors import VenomError

NONE_RUNS = "No engine runs now. Start one in the server (venom serve): venom engines start MODEL"
#: What each state is called in a table.
_STATES = {
    "stopped": "not running",
    "starting": "starting",
    "running": "running",
    "failed": "ended unexpectedly",
}


def list_and_show(as_json: bool) -> None:
    """Show the engines that run now, and every environment that an installed plugin declares."""
    environments, engines = environment_records(), engines_now()
    if as_json:
        print_json({"environments": environments, "engines": engines})
        return
    if engines is not None:
        _show(engines)
        print()
    show_environments(environments)


def engines_now() -> list[dict[str, Any]] | None:
    """Return the engines of the server; none where no server runs, for they live in it. None where
    the server does not tell."""
    try:
        with connected("venom engines list", writes=False) as session:
            if session.connection.url is None:
                return []
            return list(session.run(session.connection.engines())["engines"])
    except VenomError as error:  # a server of another version; environments are shown all the same
        note(error.message)
        return None


def _show(engines: list[dict[str, Any]]) -> None:
    if not engines:
        say(NONE_RUNS)
        return
    print_table(
        ("MODEL", "STATE", "PID", "PORT", "MEMORY", "SINCE"),
        [
            (
                engine["reference"] or engine["name"],
                _state(engine),
                engine["pid"],
                engine["port"],
                size(engine["memory_bytes"]),
                spoken(engine["started_at"]),
            )
            for engine in engines
        ],
    )


def _state(engine: dict[str, Any]) -> str:
    state, progress = words(_STATES[engine["state"]]), engine["progress"]
    return f"{state} ({words(progress)})" if progress else state
