"""`venom plugins`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from venom_core.cli.connection.session import connected
from venom_core.cli.exit_codes import ExitCode
from venom_core.cli.helping import WordsGroup
from venom_core.cli.installing import install_and_show
from venom_core.cli.new_plugin import make_plugin, plugin_name
from venom_core.cli.options import json_option, yes_option
from venom_core.cli.plugin_checks import print_checks
from venom_core.cli.terminal import print_beside, print_json, print_table, say
from venom_core.cli.uninstalling import uninstall_and_show
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
    """Install a plugin of this release, the engine that one needs, or a wheel file.

    It shows what it adds and asks first. Packages come from the place that this installation came
    from, at exactly its version. A wheel is somebody else's plugin, which you trust by naming it.

    \b
      venom plugins install llamacpp
      venom plugins install ./venom_demo-0.1.0-py3-none-any.whl
    """
    record = install_and_show(name, third_party=third_party, ask_first=not yes, quiet=as_json)
    plugin = _load_installed(record["name"], "retry" if record["first_party"] else "reload")
    if as_json:
        print_json(record | {"plugin": plugin})
    else:
        _print([plugin])


def _load_installed(name: str, verb: Any) -> dict[str, Any]:
    """Load what was installed, in a running server too; return the plugin's record."""
    with connected("venom plugins install", writes=False) as session:
        return session.run(session.connection.change_plugin(name, verb))


@plugins.command()
@click.argument("name")
@click.option("--purge", is_flag=True, help="Remove its data and settings too.")
@yes_option
@json_option
def uninstall(name: str, purge: bool, yes: bool, as_json: bool) -> None:
    """Uninstall somebody else's plugin; a running server lets go of it at once.

    It shows what goes and asks first. Data and settings stay unless --purge is given; models that
    were fetched always do.

    \b
      venom plugins uninstall demo
      venom plugins uninstall demo --purge --yes
    """
    record = uninstall_and_show(name, purge=purge, ask_first=not yes, quiet=as_json)
    if as_json:
        print_json(record)
    else:
        say(f"{record['distribution']} is uninstalled.")


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


@plugins.command()
@click.argument("name")
@json_option
def reload(name: str, as_json: bool) -> None:
    """Load somebody else's plugin anew, from the disk as it is now.

    Its answers end first. venom serve --reload-plugins does it whenever a source is saved.

    \b
      venom plugins reload demo
    """
    _change(name, "reload", as_json)


@plugins.command()
@click.argument("name", required=False)
@click.option("--all", "every", is_flag=True, help="Examine every installed plugin.")
@json_option
def check(name: str | None, every: bool, as_json: bool) -> None:
    """Examine a plugin by the rules of the provider interface.

    Each rule is tried on the plugin's provider, in this process, with the engine or the records
    that the plugin brings for that. It ends with 1 where a plugin is not certified.

    \b
      venom plugins check ollama
      venom plugins check --all --json
    """
    if every == (name is not None):
        raise click.UsageError("Name a plugin, or say --all.")
    # The kit is for this command alone: nothing else that people run brings it in.
    from venom_core.testing.conformance.installed import check_installed

    records = check_installed(name)
    if as_json:
        print_json({"plugins": records})
    else:
        print_checks(records, every_rule=not every)
    if not records or not all(record["certified"] for record in records):
        raise click.exceptions.Exit(ExitCode.FAILED)


@plugins.command()
@click.argument("name")
@click.option(
    "--path",
    type=click.Path(file_okay=False, path_type=Path),
    help="The new folder; venom-NAME here unless given.",
)
@click.option(
    "--engine", is_flag=True, help="The plugin starts an engine of its own, a Python class."
)
@json_option
def new(name: str, path: Path | None, engine: bool, as_json: bool) -> None:
    """Make the project of a plugin of your own, which passes every rule as it is made.

    It is a provider for servers that speak the OpenAI wire, or with --engine one that starts an
    engine in a process of its own; with tests, a README and Polish sentences. A folder that is
    there is never overwritten.

    \b
      venom plugins new demo
      venom plugins new demo --engine --path ~/projects/venom-demo
    """
    name = plugin_name(name)
    folder = (path or Path(f"venom-{name}")).expanduser().absolute()
    files = make_plugin(name, folder, "engine" if engine else "server")
    if as_json:
        print_json({"success": True, "name": name, "folder": str(folder), "files": files})
        return
    say(f"The plugin {name} is in {folder}")
    for file in files:
        print_beside("  ", file)
    say("\nInstall it in its folder, where Venom is: python -m pip install --no-deps -e .")
    say(f"Then: venom plugins check {name}")


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
    for who, rules in _broken_rules(records):
        message = f"It broke rules of the provider interface: {rules}."
        say(f"\n{who}: {words(message)}")
        say(f"  {words('Where and how often: venom doctor')}")


def _broken_rules(records: list[dict[str, Any]]) -> Iterator[tuple[str, str]]:
    """Yield each provider that broke a rule, with the rules' names."""
    for record in records:
        for provider in record["providers"]:
            if rules := dict.fromkeys(breach["rule"] for breach in provider["breaches"]):
                yield provider["name"], ", ".join(rules)


def reasons(records: list[dict[str, Any]]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each plugin or provider that has a reason, with that reason."""
    for record in records:
        if record["reason"]:
            yield record["id"], record["reason"]
        for provider in record["providers"]:
            if provider["reason"]:
                yield provider["name"], provider["reason"]
