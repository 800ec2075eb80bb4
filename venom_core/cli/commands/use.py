"""`venom use`."""

from __future__ import annotations

import click

from venom_core.cli.connection.session import connected
from venom_core.cli.options import json_option
from venom_core.cli.terminal import print_json, say

_HELP = """Make a model the active one of a role: it answers where a request names none, and wins
over others of its name. With --none the role has no active model any more.

It is checked first, and loaded first with --load; whatever fails, the model that was active stays.

\b
  venom use gemma3:4b
  venom use nomic-embed-text --role embedding
  venom use --none
"""


@click.command(help=_HELP)
@click.argument("name", required=False, metavar="MODEL")
@click.option(
    "--role",
    type=click.Choice(("chat", "embedding", "translation")),
    default="chat",
    show_default=True,
    help="What it is to be used for.",
)
@click.option("--load", is_flag=True, help="Bring it into memory first.")
@click.option("--none", "nothing", is_flag=True, help="Let the role have no active model.")
@json_option
def use(name: str | None, role: str, load: bool, nothing: bool, as_json: bool) -> None:
    if (name is None) is not nothing:
        raise click.UsageError("Name a model, or say --none.", click.get_current_context())
    with connected("venom use", writes=True) as session:
        answer = session.run(session.connection.use(name, role, load=load))
    if as_json:
        print_json(answer)
    else:
        say(answer["message"])
