"""`venom services`."""

from __future__ import annotations

from typing import Any

import click

from venom_core.cli.connection.session import connected
from venom_core.cli.dates import spoken
from venom_core.cli.helping import WordsGroup
from venom_core.cli.options import json_option
from venom_core.cli.terminal import print_json, print_table, say, size
from venom_core.cli.wording import words

_HELP = """Show what runs: the server, its page, and what each provider speaks to, with processes,
memory and how busy they are. Start, stop and restart it.

A service is a whole provider; the engine of one model is started and stopped with `venom engines`.

\b
  venom services
  venom services --json | jq '.services[] | {name, status, pid}'
  venom services restart llamacpp
  venom services use llamacpp
  venom services history
"""
_STATES = {
    "running": "running",
    "stopped": "not running",
    "degraded": "running, with a problem",
    "unknown": "not known",
    "error": "failed",
}


@click.group(cls=WordsGroup, help=_HELP, invoke_without_command=True)
@json_option
@click.pass_context
def services(ctx: click.Context, as_json: bool) -> None:
    """Replaced by ``_HELP``."""
    if ctx.invoked_subcommand is None:
        _list_and_show(as_json)


@services.command("list")
@json_option
def list_services(as_json: bool) -> None:
    """Show every service, like `venom services` alone.

    \b
      venom services list
      venom services list --json
    """
    _list_and_show(as_json)


@services.command()
@click.argument("name", metavar="SERVICE")
@json_option
def start(name: str, as_json: bool) -> None:
    """Start a service: for a provider's engines, load the model that it would answer with.

    It lives in the server, so one has to run (venom serve). What runs already is left as it is.

    \b
      venom services start llamacpp
    """
    _change_and_show(name, "start", as_json)


@services.command()
@click.argument("name", metavar="SERVICE")
@json_option
def stop(name: str, as_json: bool) -> None:
    """Stop a service: for a provider's engines, take every model of it out of memory.

    The next request to one of its models starts it again.

    \b
      venom services stop llamacpp
    """
    _change_and_show(name, "stop", as_json)


@services.command()
@click.argument("name", metavar="SERVICE")
@json_option
def restart(name: str, as_json: bool) -> None:
    """Stop a service and start it with the models that it had.

    An engine that failed too often in a row is tried again at once.

    \b
      venom services restart llamacpp
    """
    _change_and_show(name, "restart", as_json)


@services.command()
@click.argument("name", metavar="SERVER")
@click.option("--model", metavar="MODEL", help="Its model; else the one that it would answer with.")
@json_option
def use(name: str, model: str | None, as_json: bool) -> None:
    """Make a server the active one: its model answers where a request names none.

    The model is loaded first; whatever fails, the server that was active stays it and goes on. Then
    the engines of the one before end, once their answers have. It is kept in the settings.

    \b
      venom services use llamacpp
      venom services use ollama --model gemma3:4b
    """
    with connected("venom services use", writes=True) as session:
        answer = session.run(session.connection.activate_server(name, model))
    if as_json:
        print_json(answer)
        return
    for step in (answer, *answer["stop_results"].values()):
        say(step["message"])


@services.command()
@click.option(
    "--limit",
    "-n",
    type=click.IntRange(1, 200),
    default=50,
    show_default=True,
    help="How many entries.",
)
@json_option
def history(limit: int, as_json: bool) -> None:
    """Show what happened to services, the newest first; it is kept over a restart.

    \b
      venom services history
      venom services history --limit 10 --json
    """
    with connected("venom services history", writes=False) as session:
        found = session.run(session.connection.service_history(limit))
    if as_json:
        print_json({"status": "success", "success": True, "history": found, "count": len(found)})
    elif not found:
        say("Nothing has happened to a service yet.")
    else:
        print_table(
            ("WHEN", "SERVICE", "ACTION", "DONE", "MESSAGE"),
            [
                (
                    spoken(one["timestamp"]),
                    one["service"],
                    one["action"],
                    words("yes" if one["success"] else "no"),
                    words(one["message"]),
                )
                for one in found
            ],
        )


def _list_and_show(as_json: bool) -> None:
    with connected("venom services", writes=False) as session:
        found = session.run(session.connection.services())
    if as_json:
        print_json({"status": "success", "success": True, "services": found, "count": len(found)})
        return
    print_table(
        ("SERVICE", "STATE", "PID", "PORT", "CPU", "MEMORY", "SINCE"),
        [
            (
                one["name"],
                words(_STATES[one["status"]]),
                one["pid"],
                one["port"],
                None if one["cpu_percent"] is None else f"{one['cpu_percent']:.0f} %",
                _memory(one["memory_mb"]),
                spoken(one["started_at"]),
            )
            for one in found
        ],
    )
    if any(one["name"] == "backend" and one["status"] != "running" for one in found):
        say("No server runs here. Start one: venom serve")
    for one in found:
        if one["error_message"]:
            say(one["error_message"])


def _memory(mebibytes: float | None) -> str | None:
    return None if mebibytes is None else size(round(mebibytes * 1024 * 1024))


def _change_and_show(name: str, action: str, as_json: bool) -> None:
    with connected(f"venom services {action}", writes=True) as session:
        answer: dict[str, Any] = session.run(session.connection.change_service(name, action))
    if as_json:
        print_json(answer)
    else:
        say(answer["message"])
