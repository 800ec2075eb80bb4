"""`venom pull`."""

from __future__ import annotations

import sys

import click

from venom_core.cli.connection.session import connected
from venom_core.cli.options import json_option
from venom_core.cli.pulling import pull_and_show
from venom_core.cli.terminal import is_terminal, print_json

_HELP = """Fetch a model.

NAME is a built-in model, a name of Ollama's library, or hf.co/org/repo:QUANT; provider:// in front
says who fetches it. Ctrl-C stops the transfer.

\b
  venom pull smollm2:135m
  venom pull gemma3:4b
  venom pull hf.co/ggml-org/gemma-3-1b-it-GGUF:Q4_K_M
"""


@click.command(help=_HELP)
@click.argument("name")
@json_option
def pull(name: str, as_json: bool) -> None:
    with connected("venom pull", writes=True) as session:
        last = pull_and_show(session, name)
        if as_json:
            print_json({"name": name, **last})
        elif is_terminal(sys.stderr):  # elsewhere the last line of the progress says it
            print(last["message"], file=sys.stderr)
