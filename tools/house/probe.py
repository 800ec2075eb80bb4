"""Run in a process of its own: print the settings and commands of the tree on the path as JSON."""

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


if __name__ == "__main__":
    found = {"settings": list(settings(sys.argv[1:])), "commands": list(commands())}
    json.dump(found, sys.stdout)
