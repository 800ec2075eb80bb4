"""`venom stop`."""

from __future__ import annotations

import click

from venom_core.cli.options import json_option

_HELP = """Take a model out of memory; it stays installed. Stopping one that is not loaded is no
error. The server itself is stopped with Ctrl-C where it runs.

\b
  venom stop gemma3:4b
"""


@click.command(help=_HELP)
@click.argument("name")
@json_option
def stop(name: str, as_json: bool) -> None:
    from venom_core.cli.connection.session import connected
    from venom_core.cli.terminal import print_json

    with connected("venom stop", writes=True) as session:
        message = session.run(session.connection.unload(name))
    if as_json:
        print_json({"success": True, "message": message})
    else:
        print(message)
