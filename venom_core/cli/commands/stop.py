"""`venom stop`, which is `venom unload` too."""

from __future__ import annotations

import click

from venom_core.cli.connection.session import connected
from venom_core.cli.options import json_option
from venom_core.cli.terminal import print_json, say

_HELP = """Take a model out of memory, or with --all every one; it stays installed. Stopping one
that is not loaded is no error. The server itself is stopped with Ctrl-C where it runs. `venom stop`
and `venom unload` are the same.

\b
  venom stop gemma3:4b
  venom unload --all
"""


@click.command(help=_HELP)
@click.argument("name", required=False, metavar="MODEL")
@click.option("--all", "everything", is_flag=True, help="Every model of every provider.")
@json_option
def stop(name: str | None, everything: bool, as_json: bool) -> None:
    context = click.get_current_context()
    if (name is None) is not everything:
        raise click.UsageError("Name a model, or say --all.", context)
    with connected(f"venom {context.info_name}", writes=True) as session:
        if name is None:
            message = session.run(session.connection.unload_all())["message"]
        else:
            message = session.run(session.connection.unload(name))
    if as_json:
        print_json({"success": True, "message": message})
    else:
        say(message)
