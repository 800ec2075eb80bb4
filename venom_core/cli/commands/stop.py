"""`venom stop`."""

from __future__ import annotations

import click

from venom_core.cli.connection.session import connected
from venom_core.cli.options import json_option
from venom_core.cli.terminal import print_json, say

_HELP = """Take a model out of memory, or with --all every one; it stays installed. Stopping one
that is not loaded is no error. The server itself is stopped with Ctrl-C where it runs.

\b
  venom stop gemma3:4b
  venom stop --all
"""


@click.command(help=_HELP)
@click.argument("name", required=False, metavar="MODEL")
@click.option("--all", "everything", is_flag=True, help="Every model of every provider.")
@json_option
def stop(name: str | None, everything: bool, as_json: bool) -> None:
    take_out("venom stop", name, everything=everything, as_json=as_json)


def take_out(command: str, name: str | None, *, everything: bool, as_json: bool) -> None:
    """Take a model out of memory, or every one, and say so."""
    if (name is None) is not everything:
        raise click.UsageError("Name a model, or say --all.", click.get_current_context())
    with connected(command, writes=True) as session:
        if name is None:
            message = session.run(session.connection.unload_all())["message"]
        else:
            message = session.run(session.connection.unload(name))
    if as_json:
        print_json({"success": True, "message": message})
    else:
        say(message)
