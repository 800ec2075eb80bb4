"""`venom config`."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

import click

from venom_core.cli.helping import WordsGroup
from venom_core.cli.options import json_option
from venom_core.cli.terminal import note, print_json, print_table, say
from venom_core.cli.waiting import wait_for
from venom_core.cli.wording import words

if TYPE_CHECKING:
    from venom_core.composition import Venom
    from venom_core.settings.forms import SettingView
    from venom_core.usecases.plugins import PluginSettings

T = TypeVar("T")

_HELP = """Show the settings. A flag counts before the environment, the environment before
config.toml in the data directory, and that before the default.

\b
  venom config show
  venom config show ollama
"""


@click.group(cls=WordsGroup, help=_HELP)
def config() -> None:
    """Replaced by ``_HELP``."""


@config.command()
@click.argument("plugin", required=False)
@json_option
def show(plugin: str | None, as_json: bool) -> None:
    """Show every setting, its value, and where that came from. Secrets are masked.

    The settings of providers are in it; warnings below name what is misspelt or unusable. With the
    name of a plugin: its settings alone, and what each is for.

    \b
      venom config show
      venom config show ollama
      venom config show --json | jq '.settings[] | select(.origin != "default")'
    """
    if plugin is not None:
        _show_plugin(plugin, as_json)
        return
    rows, warnings, file = _read()
    if as_json:
        print_json({"file": file, "settings": rows, "warnings": warnings})
        return
    say(f"File: {file}")
    print_table(
        ("SETTING", "VALUE", "FROM", "ENVIRONMENT"),
        [(row["key"], _shown(row), _from(row), row["env"]) for row in rows],
    )
    sys.stdout.flush()
    for warning in warnings:
        note(f"Warning: {warning}")


def _show_plugin(name: str, as_json: bool) -> None:
    told = _settings_of(name)
    if as_json:
        print_json(told)
        return
    if told["reason"] is not None:
        say(f"{told['plugin']} is {told['state']}: {told['reason']['message']}")
        say(told["reason"]["fix"] or "")
    rows = [row for provider in told["providers"] for row in provider["settings"]]
    if rows:
        print_table(
            ("SETTING", "VALUE", "FROM", "ENVIRONMENT", "HELP"),
            [(row["key"], _shown(row), _from(row), row["env"], words(row["help"])) for row in rows],
        )
    elif told["reason"] is None:
        say(f"{told['plugin']} has no settings.")
    sys.stdout.flush()
    for warning in (text for provider in told["providers"] for text in provider["warnings"]):
        note(f"Warning: {warning}")


def _read() -> tuple[list[SettingView], list[str], str]:
    """Return rows, warnings and the file's name."""

    async def read(venom: Venom) -> tuple[list[SettingView], list[str], str]:
        settings = venom.settings
        rows = settings.rows(venom.host.specs().values())
        return rows, settings.warnings, str(settings.paths.config_file)

    return _with_plugins(read)


def _settings_of(plugin: str) -> PluginSettings:
    return _with_plugins(lambda venom: venom.plugins.settings(plugin))


def _with_plugins(read: Callable[[Venom], Awaitable[T]]) -> T:
    """Return what is read once the manifests are loaded; nothing is opened."""
    # Imported here: it is too slow for `config --help`.
    from venom_core.cli.connection import local

    venom = local.make_venom()
    venom.host.scan()

    async def load() -> T:
        await venom.host.load_all()
        try:
            return await read(venom)
        finally:
            await venom.host.close()

    return wait_for(load())


def _from(row: SettingView) -> str | None:
    """Return the layer; an environment variable of another name than ours is named."""
    variable = row.get("variable")
    return row["origin"] if variable in (None, row["env"]) else f"env {variable}"


def _shown(row: SettingView) -> str | None:
    if "error" in row:
        return f"unusable: {row['error']['message']}"
    value = row["value"]
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value)) or None
    return None if value is None else str(value)
