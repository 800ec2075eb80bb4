"""`venom load`."""

from __future__ import annotations

import click

from venom_core.cli.loading import load_and_show
from venom_core.cli.options import json_option

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
    load_and_show(name, "venom load", as_json=as_json)
