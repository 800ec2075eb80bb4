"""`venom ps`."""

from __future__ import annotations

import click

from venom_core.cli.connection.session import connected
from venom_core.cli.dates import spoken
from venom_core.cli.loading import loading_sentence, starting
from venom_core.cli.options import json_option
from venom_core.cli.terminal import print_json, print_table, say, size
from venom_core.cli.wording import words

_HELP = """Show the models in memory: how much they take, and until when; and how far those are
that are being loaded.

\b
  venom ps
  venom ps --json | jq '.models[].reference'
"""


@click.command(help=_HELP)
@json_option
def ps(as_json: bool) -> None:
    with connected("venom ps", writes=False) as session:
        models = session.run(session.connection.loaded())
        coming = session.run(starting(session.connection))
    if as_json:
        body = {"success": True, "count": len(models), "models": models, "starting": coming}
        print_json(body)
        return
    for engine in coming:
        say(loading_sentence(engine))
    if not models:
        say("No model is in memory.")
        return
    print_table(
        ("MODEL", "MEMORY", "GPU", "CONTEXT", "UNTIL"),
        [
            (
                model["reference"],
                size(model["size_bytes"]),
                size(model["vram_bytes"]) if model["vram_bytes"] else None,
                model["context_length"],
                spoken(model["expires_at"]) or words("stopped"),
            )
            for model in models
        ],
    )
