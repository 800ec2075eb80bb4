"""`venom config`."""

from __future__ import annotations

import asyncio
import os
import sys
from typing import Any

import click

from venom_core.cli.helping import WordsGroup
from venom_core.cli.options import json_option
from venom_core.cli.terminal import note, print_json, print_table, say
from venom_core.settings.paths import Paths

_HELP = """Show the settings. A flag counts before the environment, the environment before
config.toml in the data directory, and that before the default.

\b
  venom config show
"""


@click.group(cls=WordsGroup, help=_HELP)
def config() -> None:
    """Replaced by ``_HELP``."""


@config.command()
@json_option
def show(as_json: bool) -> None:
    """Show every setting, its value, and where that came from. Secrets are masked.

    The settings of providers are in it; warnings below name what is misspelt or unusable.

    \b
      venom config show
      venom config show --json | jq '.settings[] | select(.origin != "default")'
    """
    rows, warnings, file = _read()
    if as_json:
        print_json({"file": file, "settings": rows, "warnings": warnings})
        return
    say(f"File: {file}")
    print_table(
        ("SETTING", "VALUE", "FROM", "ENVIRONMENT"),
        [(row["key"], _shown(row), row["origin"], row["env"]) for row in rows],
    )
    sys.stdout.flush()
    for warning in warnings:
        note(f"Warning: {warning}")


def _read() -> tuple[list[dict[str, Any]], list[str], str]:
    """Return rows, warnings and the file's name; loads the manifests, opens nothing."""
    # Imported here: pydantic is too slow for `config --help`.
    from venom_core.plugins.host import PluginHost
    from venom_core.settings.layers import Settings

    paths = Paths.resolve()
    settings = Settings.load(paths, os.environ)
    host = PluginHost(settings, paths)
    host.scan()

    async def load() -> list[dict[str, Any]]:
        await host.load_all()
        try:
            return settings.rows(host.specs().values())
        finally:
            await host.close()

    return asyncio.run(load()), settings.warnings, str(paths.config_file)


def _shown(row: dict[str, Any]) -> str | None:
    if "error" in row:
        return f"unusable: {row['error']['message']}"
    value = row["value"]
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value)) or None
    return None if value is None else str(value)
