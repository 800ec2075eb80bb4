"""`venom config`."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from venom_core.cli.config_editing import edit_file
from venom_core.cli.connection.session import connected
from venom_core.cli.helping import WordsGroup
from venom_core.cli.options import json_option
from venom_core.cli.terminal import interactive, note, print_json, print_table, say, size
from venom_core.cli.waiting import wait_for
from venom_core.cli.wording import words

if TYPE_CHECKING:
    from venom_core.cli.connection.loop import Session
    from venom_core.composition import Venom
    from venom_core.settings.forms import SettingView
    from venom_core.usecases.plugins import PluginSettings

T = TypeVar("T")

_HELP = """Show and change the settings. A flag counts before the environment, the environment
before config.toml in the data directory, and that before the default.

Changes are written to config.toml, whose comments stay, and secrets to secrets.toml. A server that
runs works with them at once, or says which need its next start. Each change keeps a backup.

\b
  venom config show
  venom config set chat.parameter_policy warn
  venom config unset chat.parameter_policy
  venom config diff
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
    """Return rows, warnings and the file's name: those of the server, where one runs."""
    with connected("venom config show", writes=False) as session:
        found = session.run(session.connection.configuration())
    return [_row(found, name) for name in found["schema"]], found["warnings"], found["file"]


def _row(found: dict[str, Any], name: str) -> SettingView:
    field = found["schema"][name]
    row: SettingView = {
        "key": field["key"],
        "value": found["config"][name],
        "origin": found["config_sources"][name],
        "env": field["env"],
        "help": field["form"]["description"],
    }
    if "error" in field:
        row["error"] = field["error"]
    if row["origin"] == "env":
        row["variable"] = field["fixed_by"]
    return row


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


@config.command("set")
@click.argument("key")
@click.argument("value", required=False)
@json_option
def set_(key: str, value: str | None, as_json: bool) -> None:
    """Change a setting: its key as `venom config show` has it, or its environment variable.

    A list is written with commas. Without VALUE it is asked for: so is a secret best given, which
    then stands in no history of commands. - reads it from the standard input.

    \b
      venom config set server.port 9000
      venom config set OLLAMA_MODEL 'gemma3:*'
      venom config set providers.hf.token
      venom config set providers.hf.token - < token.txt
    """
    with connected("venom config set", writes=True) as session:
        if value is None:
            if not interactive():
                raise click.UsageError("Give a value, or - to read it from the standard input.")
            value = click.prompt(key, hide_input=True, err=True, prompt_suffix=": ")
        elif value == "-":
            value = sys.stdin.read().strip()
        done = session.run(session.connection.change_configuration({key: value}))
        _tell(done, session, as_json)


@config.command()
@click.argument("keys", nargs=-1, required=True, metavar="KEY...")
@json_option
def unset(keys: tuple[str, ...], as_json: bool) -> None:
    """Remove settings from the file: the default counts again. Keys that nothing reads any more,
    such as those of a plugin that is gone, go the same way.

    \b
      venom config unset server.port
      venom config unset providers.hf.token
    """
    with connected("venom config unset", writes=True) as session:
        done = session.run(session.connection.change_configuration(dict.fromkeys(keys)))
        _tell(done, session, as_json)


@config.command()
@json_option
def edit(as_json: bool) -> None:
    """Open config.toml in an editor, that of VISUAL or EDITOR, and check it before it is kept.

    What cannot be used is told, and the file stays as it was. A file that is broken already can be
    corrected so.

    \b
      venom config edit
    """
    with connected("venom config edit", writes=True) as session:
        if not edit_file():
            say("Nothing was changed.")
            return
        # The server reads the file anew; this process has done so.
        done = session.run(session.connection.change_configuration({}))
        done["message"] = "The configuration was changed."
        _tell(done, session, as_json)


@config.command()
@click.argument("backup", required=False)
@json_option
def diff(backup: str | None, as_json: bool) -> None:
    """Show where the configuration differs from a backup, the newest where none is named. Secrets
    are masked.

    \b
      venom config diff
      venom config diff config-000012-20261128T031500Z.toml
    """
    with connected("venom config diff", writes=False) as session:
        found = session.run(session.connection.configuration_differences(backup))
    if as_json:
        print_json({"backup": found["backup"], "differences": found["differences"]})
    elif found["backup"] is None:
        say("There is no backup yet: the first change makes one.")
    elif not found["differences"]:
        say(f"The configuration is as in {found['backup']}.")
    else:
        print_table(
            ("SETTING", found["backup"], "NOW"),
            [
                (one["key"], _text(one["before"]), _text(one["after"]))
                for one in found["differences"]
            ],
        )


@config.command("backups")
@click.option("--limit", type=click.IntRange(1, 200), default=20, show_default=True)
@json_option
def list_backups(limit: int, as_json: bool) -> None:
    """Show the backups of config.toml, the newest first. Each change keeps one, of the file as it
    was before; secrets are in none.

    \b
      venom config backups
    """
    with connected("venom config backups", writes=False) as session:
        found = session.run(session.connection.configuration_backups(limit))["backups"]
    if as_json:
        print_json({"backups": found})
    elif not found:
        say("There is no backup yet: the first change makes one.")
    else:
        rows = [(one["filename"], one["created_at"], size(one["size_bytes"])) for one in found]
        print_table(("BACKUP", "MADE", "SIZE"), rows)


@config.command()
@click.argument("backup")
@json_option
def restore(backup: str, as_json: bool) -> None:
    """Put a backup in the place of config.toml, which is backed up first. Secrets stay as they are.

    \b
      venom config backups
      venom config restore config-000012-20261128T031500Z.toml
    """
    with connected("venom config restore", writes=True) as session:
        done = session.run(session.connection.restore_configuration(backup))
        _tell(done, session, as_json)


def _tell(done: dict[str, Any], session: Session, as_json: bool) -> None:
    """Print the result of a change. What counts from the next start on is no news where nothing
    runs."""
    if as_json:
        print_json(done)
        return
    say(done["message"])
    waiting = [name for name in done["changed_keys"] if name in done["restart_required"]]
    if waiting and session.connection.url is not None:
        say(f"From the next start of the server on: {', '.join(waiting)}.")
    if done["backup_path"] is not None:
        note(f"Backup: {done['backup_path']}")


def _text(value: Any) -> str | None:
    if isinstance(value, list):
        return ", ".join(map(str, value)) or None
    return None if value is None else str(value)


def _from(row: SettingView) -> str | None:
    """Return the layer; an environment variable of another name than ours is named."""
    variable = row.get("variable")
    return row["origin"] if variable in (None, row["env"]) else f"env {variable}"


def _shown(row: SettingView) -> str | None:
    if "error" in row:
        return f"unusable: {row['error']['message']}"
    value = row["value"]
    return _text(list(value) if isinstance(value, tuple) else value)
