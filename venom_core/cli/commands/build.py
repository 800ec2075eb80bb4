"""`venom build`."""

from __future__ import annotations

import sys

import click

from venom_core.cli.connection.session import connected
from venom_core.cli.options import json_option
from venom_core.cli.pulling import build_and_show
from venom_core.cli.terminal import is_terminal, print_json

_HELP = """Make model files of another FORMAT from an installed MODEL.

MODEL has a folder of its own, as those of Hugging Face have. It takes minutes; Ctrl-C pauses it,
and the same command goes on behind the steps that are done.

\b
  venom build onnx google/gemma-3-270m-it
  venom build onnx google/gemma-3-270m-it --precision int8
"""


@click.command(help=_HELP)
@click.argument("format_name", metavar="FORMAT")
@click.argument("model")
@click.option("--precision", metavar="NAME", help="How exact its numbers are, such as int8.")
@click.option(
    "--execution-provider", metavar="NAME", help="What is to compute it: cpu, or a graphics card's."
)
@json_option
def build(
    format_name: str,
    model: str,
    precision: str | None,
    execution_provider: str | None,
    as_json: bool,
) -> None:
    with connected("venom build", writes=True) as session:
        last = build_and_show(session, model, format_name, precision, execution_provider)
        if as_json:
            print_json({"name": model, **last})
        elif is_terminal(sys.stderr):  # elsewhere the last line of the progress says it
            print(last["message"], file=sys.stderr)
