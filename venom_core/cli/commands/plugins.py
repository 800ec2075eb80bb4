"""`venom plugins`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click

from venom_core.cli.connection.session import connected
from venom_core.cli.helping import WordsGroup
from venom_core.cli.installing import install_and_show
from venom_core.cli.options import json_option, yes_option
from venom_core.cli.terminal import print_json, print_table, say
from venom_core.cli.wording import words

_HELP = """Show the installed plugins: each with its state, the reason for it, and what to do.

\b
  venom plugins
  venom plugins --json
  venom plugins install llamacpp
"""


@click.group(cls=WordsGroup, help=_HELP, invoke_without_command=True)
@json_option
@click.pass_context
def plugins(ctx: click.Context, as_json: bool) -> None:
    """Replaced by ``_HELP``."""
    if ctx.invoked_subcommand is None:
        show_plugins(as_json)


@plugins.command("list")
@json_option
def list_plugins(as_json: bool) -> None:
    """Show the installed plugins, like `venom plugins` alone.

    \b
      venom plugins list --json
    """
    show_plugins(as_json)


@plugins.command()
@click.argument("name")
@click.option(
    "--third-party", is_flag=True, help="NAME is somebody else's distribution, and you trust it."
)
@yes_option
@json_option
def install(name: str, third_party: bool, yes: bool, as_json: bool) -> None:
    """Install a plugin of this release, or the engine that one needs.

    It shows what it adds and asks first. Packages come from the place that this installation came
    from, at exactly its version.

    \b
      venom plugins install llamacpp
      venom plugins install llamacpp --yes
    """
    record = install_and_show(name, third_party=third_party, ask_first=not yes, quiet=as_json)
    plugin = _load_installed(name)
    if as_json:
        print_json(record | {"plugin": plugin})
    else:
        _print([plugin])


def _load_installed(name: str) -> dict[str, Any]:
    """Load what was installed, in a running server too; return the plugin's record."""
    with connected("venom plugins install", writes=False) as session:
        return session.run(session.connection.change_plugin(name, "retry"))


@plugins.command()
@click.argument("name")
@json_option
def enable(name: str, as_json: bool) -> None:
    """Let a plugin load again that was disabled.

    \b
      venom plugins enable ollama
    """
    _change(name, "enable", as_json)


@plugins.command()
@click.argument("name")
@json_option
def disable(name: str, as_json: bool) -> None:
    """Keep a plugin from loading, now and at later starts.

    \b
      venom plugins disable ollama
    """
    _change(name, "disable", as_json)


@plugins.command()
@click.argument("name")
@json_option
def retry(name: str, as_json: bool) -> None:
    """Try again what failed: a plugin's import, or the opening of its providers.

    \b
      venom plugins retry ollama
    """
    _change(name, "retry", as_json)


def _change(name: str, verb: Any, as_json: bool) -> None:
    with connected(f"venom plugins {verb}", writes=True) as session:
        record = session.run(session.connection.change_plugin(name, verb))
    if as_json:
        print_json({"success": True, "plugin": record})
    else:
        _print([record])


def show_plugins(as_json: bool) -> None:
    """Show the record of every installed plugin."""
    with connected("venom plugins", writes=False) as session:
        records = session.run(session.connection.plugins())
    if as_json:
        print_json({"plugins": records})
    else:
        _print(records)


def _print(records: list[dict[str, Any]]) -> None:
    if not records:
        say("No plugin is installed. The first one: venom plugins install ollama")
        return
    print_table(
        ("PLUGIN", "STATE", "VERSION", "PROVIDERS"),
        [
            (
                record["id"],
                words(record["state"]),
                record["version"],
                ", ".join(f"{p['name']} ({words(p['status'])})" for p in record["providers"]),
            )
            for record in records
        ],
    )
    for who, reason in reasons(records):
        say(f"\n{who}: {words(reason['message'])}")
        if reason["fix"]:
            say(f"  {words('Fix:')} {words(reason['fix'])}")


def reasons(records: list[dict[str, Any]]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each plugin or provider that has a reason, with that reason."""
    for record in records:
        if record["reason"]:
            yield record["id"], record["reason"]
        for provider in record["providers"]:
            if provider["reason"]:
                yield provider["name"], provider["reason"]
