"""`venom rm`."""

from __future__ import annotations

import click

from venom_core.cli.connection.session import connected
from venom_core.cli.options import json_option, yes_option
from venom_core.cli.terminal import ask, print_json, say, size

_HELP = """Remove a model from the disk. It asks first; without a terminal --yes is needed.

\b
  venom rm smollm2:135m
  venom rm ollama://gemma3:4b --yes
"""


@click.command(help=_HELP)
@click.argument("name")
@yes_option
@json_option
def rm(name: str, yes: bool, as_json: bool) -> None:
    with connected("venom rm", writes=True) as session:
        model = session.run(session.connection.details(name))
        reference = model["reference"]
        question = f"Remove {reference} ({size(model['size_bytes'])})?"
        if not yes and (as_json or not ask(question)):
            raise click.UsageError(
                f"{reference} was not removed; --yes removes it without asking.",
                click.get_current_context(),
            )
        message = session.run(session.connection.remove(reference))
    if as_json:
        print_json({"success": True, "message": message, "model": reference})
    else:
        say(message)
