"""`venom load`."""

from __future__ import annotations

import click

from venom_core.cli.connection.session import connected
from venom_core.cli.options import json_option
from venom_core.cli.terminal import print_json, say
from venom_core.sdk.errors import Unavailable

_HELP = """Bring a model into memory, so that its first answer comes at once. `venom ps` shows what
is there, `venom unload` takes it out again.

An engine that Venom starts lives in the server: without a running one, only models of Ollama and
of other servers can be loaded.

\b
  venom load gemma3:4b
  venom load llamacpp://smollm2:135m --json
"""


@click.command(help=_HELP)
@click.argument("name", metavar="MODEL")
@json_option
def load(name: str, as_json: bool) -> None:
    with connected("venom load", writes=True) as session:
        model = session.run(session.connection.details(name))
        if session.connection.ends_with_it(model["provider"]):
            raise Unavailable(
                f"The engine of {model['reference']} would end with this command.",
                code="server_needed",
                fix="Start the server, then load the model: venom serve",
            )
        answer = session.run(session.connection.load(model["reference"]))
    if as_json:
        print_json(answer)
    else:
        say(answer["message"])
