"""`venom unload`."""

from __future__ import annotations

import click

from venom_core.cli.commands.stop import take_out
from venom_core.cli.options import json_option

_HELP = """Take a model out of memory, or with --all every one; it stays installed. It is the same
as `venom stop`.

\b
  venom unload gemma3:4b
  venom unload --all
"""


@click.command(help=_HELP)
@click.argument("name", required=False, metavar="MODEL")
@click.option("--all", "everything", is_flag=True, help="Every model of every provider.")
@json_option
def unload(name: str | None, everything: bool, as_json: bool) -> None:
    take_out("venom unload", name, everything=everything, as_json=as_json)
