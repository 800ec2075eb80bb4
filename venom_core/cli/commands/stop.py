"""`venom stop`, which is `venom unload` too."""

from __future__ import annotations

import click

from venom_core.cli.loading import unload_and_show
from venom_core.cli.options import json_option

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
    unload_and_show(name, f"venom {context.info_name}", as_json=as_json)
