"""Run in a process of its own: print what the tree on the path has, as JSON.

``subjects``: settings and commands. ``names``: of each plugin's providers, and those reserved.
"""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Iterator
from typing import Any


def settings(plugins: list[str]) -> Iterator[str]:
    """Environment names: the core's, then each plugin's as the core builds them."""
    for one in importlib.import_module("venom_core.settings.core").declared():
        yield one.env
    for plugin in plugins:
        for spec in importlib.import_module(f"{plugin}.plugin").venom_providers():
            for setting in spec.settings:
                yield f"VENOM_{spec.name.upper()}__{setting.name.upper()}"


def commands() -> Iterator[str]:
    import click

    main = importlib.import_module("venom_core.cli.main")
    groups = [value for value in vars(main).values() if isinstance(value, click.Group)]
    if groups:
        yield from _below(groups[0], "venom")


def _below(group: Any, prefix: str) -> Iterator[str]:
    import click

    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if command is None or command.hidden:
            continue
        yield f"{prefix} {name}"
        if isinstance(command, click.Group):
            yield from _below(command, f"{prefix} {name}")


def names(plugins: list[str]) -> dict[str, list[str]]:
    """Return the names and aliases of each plugin's providers."""
    found = {}
    for plugin in plugins:
        specs = importlib.import_module(f"{plugin}.plugin").venom_providers()
        found[plugin] = [name for spec in specs for name in (spec.name, *spec.aliases)]
    return found


def main(topic: str, plugins: list[str]) -> dict[str, Any]:
    if topic == "subjects":
        return {"settings": list(settings(plugins)), "commands": list(commands())}
    reserved = importlib.import_module("venom_core.plugins.names").RESERVED_NAMES
    return {"plugins": names(plugins), "reserved": dict(reserved)}


if __name__ == "__main__":
    json.dump(main(sys.argv[1], sys.argv[2:]), sys.stdout)
