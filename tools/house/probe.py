"""Run in a process of its own: print what the tree on the path has, as JSON.

``subjects``: settings and commands. ``names``: of each plugin's providers, and those reserved.
``parse``: what is wrong with the commands that stand on the standard input.
"""

from __future__ import annotations

import contextlib
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


def misfits(named: list[dict[str, Any]]) -> Iterator[str]:
    """Yield a line for each command that the command line does not take."""
    import click

    main = importlib.import_module("venom_core.cli.main")
    group = next(value for value in vars(main).values() if isinstance(value, click.Group))
    for one in named:
        words, ways = one["words"], [len(one["words"])]
        if not one["whole"]:  # prose may follow
            ways = [n for n in range(len(words), 0, -1) if _is_prose(words[n:])]
        wrong = [_wrong(group, "venom", words[:count]) for count in ways]
        if wrong and all(wrong):
            yield f"{one['where']}: venom {' '.join(words)}: {wrong[-1]}"


def _is_prose(words: list[str]) -> bool:
    return not any(word.startswith("-") for word in words)


def _wrong(command: Any, path: str, words: list[str]) -> str | None:
    """Say what is wrong with the words after a command; None where it takes them."""
    import click

    try:
        with command.make_context(path, list(words)) as context:
            if not isinstance(command, click.Group):
                return None
            rest = [*context._protected_args, *context.args]
            if not rest:
                return None if command.invoke_without_command else "it needs a command"
            name, below, rest = command.resolve_command(context, rest)
            assert below is not None
            return _wrong(below, f"{path} {name}", rest)
    except click.exceptions.NoArgsIsHelpError:
        return "it needs a command"
    except click.exceptions.Exit:
        return None  # --help, --version
    except (click.NoSuchOption, click.MissingParameter) as error:
        return error.format_message()
    except click.BadParameter as error:
        # A hole or a file of somebody's may be anything; a choice that is spelled out may not.
        return error.format_message() if _is_spelled_out(error, words) else None
    except click.UsageError as error:
        return error.format_message()


def _is_spelled_out(error: Any, words: list[str]) -> bool:
    import click

    kind = getattr(error.param, "type", None)
    return isinstance(kind, click.Choice) and "1" not in words


def main(topic: str, plugins: list[str]) -> Any:
    if topic == "parse":
        with contextlib.redirect_stdout(sys.stderr):  # a help among them prints itself
            return list(misfits(json.load(sys.stdin)))
    if topic == "subjects":
        return {"settings": list(settings(plugins)), "commands": list(commands())}
    reserved = importlib.import_module("venom_core.plugins.names").RESERVED_NAMES
    return {"plugins": names(plugins), "reserved": dict(reserved)}


if __name__ == "__main__":
    json.dump(main(sys.argv[1], sys.argv[2:]), sys.stdout)
