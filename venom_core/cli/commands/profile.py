"""`venom profile`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import click

from venom_core.cli.connection.session import connected
from venom_core.cli.helping import WordsGroup
from venom_core.cli.options import json_option
from venom_core.cli.tables import cells, padded
from venom_core.cli.terminal import print_beside, print_json, print_table, say
from venom_core.cli.wording import words
from venom_core.settings.profiles import differences, find_profile

_HELP = """Show the profiles, each of which says what may run, and choose one.

light runs Ollama, llm_off no model, full everything that is installed.

\b
  venom profile
  venom profile diff full
  venom profile use full
"""

_TITLES = {
    "aliases": "Also called",
    "requires": "Requires",
    "excludes": "Leaves out",
    "services": "Services",
    "runtimes": "Order",
    "servers": "Servers",
    "environment": "Environment",
    "profile_capabilities": "Capabilities",
}


@click.group(cls=WordsGroup, help=_HELP, invoke_without_command=True)
@json_option
@click.pass_context
def profile(ctx: click.Context, as_json: bool) -> None:
    """Replaced by ``_HELP``."""
    if ctx.invoked_subcommand is None:
        _list(as_json)


@profile.command("list")
@json_option
def list_profiles(as_json: bool) -> None:
    """Show every profile, like `venom profile` alone.

    \b
      venom profile list --json
    """
    _list(as_json)


@profile.command()
@click.argument("name", required=False)
@click.option("--env", "as_env", is_flag=True, help="Print its variables, for a container.")
@json_option
def show(name: str | None, as_env: bool, as_json: bool) -> None:
    """Show what a profile requires, runs and leaves out; the active one unless named.

    \b
      venom profile show
      venom profile show full --json
      venom profile show light --env > venom.env
    """
    found = _ask("venom profile show")
    row = _row(found, name or found["active"])
    if as_env:
        for variable, value in row["environment"].items():
            print(f"{variable}={value}")
    elif as_json:
        print_json({"success": True, "profile": row})
    else:
        say(f"{row['name']}: {words(row['summary'])}")
        _print_fields({_TITLES[key]: row[key] for key in _TITLES if row[key]})
        if row["active"]:
            say(_why(found))


@profile.command()
@click.argument("name")
@click.argument("other", required=False)
@json_option
def diff(name: str, other: str | None, as_json: bool) -> None:
    """Show what NAME has otherwise than the active profile, or OTHER otherwise than NAME.

    \b
      venom profile diff full
      venom profile diff llm_off light
    """
    found = _ask("venom profile diff")
    first, second = (found["active"], name) if other is None else (name, other)
    before, after = _row(found, first), _row(found, second)
    changes = [
        {"field": key, "before": old, "after": new} for key, old, new in differences(before, after)
    ]
    if as_json:
        names = {"before": before["name"], "after": after["name"]}
        print_json({"success": True, **names, "changes": changes})
    elif not changes:
        say(f"{before['name']} and {after['name']} are the same.")
    else:
        print_table(
            ("WHAT", before["name"], after["name"]),
            [
                (words(_TITLES[one["field"]]), _shown(one["before"]), _shown(one["after"]))
                for one in changes
            ],
        )


@profile.command()
@click.argument("name")
@json_option
def use(name: str, as_json: bool) -> None:
    """Make NAME the active profile, now and at later starts.

    A server that runs changes over at once; the answers under way go on to their end. What it
    needs and lacks is listed with its fix.

    \b
      venom profile use full
      venom profile use llm_off --json
    """
    with connected("venom profile use", writes=True) as session:
        done = session.run(session.connection.use_profile(find_profile(name).name))
    if as_json:
        print_json(done)
        return
    say(done["message"])
    for result in done["results"]:
        sign = "ok" if result["success"] else "-"
        print_beside(f"  {padded(sign, 3)} {result['service']}: ", words(result["message"]))
        if result["fix"]:
            say(f"      {words('Fix:')} {words(result['fix'])}")


def _ask(command: str) -> dict[str, Any]:
    with connected(command, writes=False) as session:
        return session.run(session.connection.profiles())


def _list(as_json: bool) -> None:
    found = _ask("venom profile")
    if as_json:
        print_json(found)
        return
    print_table(
        ("PROFILE", "ACTIVE", "RUNS", "LEAVES OUT", "SUMMARY"),
        [
            (
                row["name"],
                words("yes") if row["active"] else None,
                _shown(row["services"]),
                _shown(row["excludes"]),
                words(row["summary"]),
            )
            for row in found["profiles"]
        ],
    )
    say(_why(found))


def _why(found: Mapping[str, Any]) -> str:
    """Return the sentence on where the active profile comes from."""
    active, configured, fixed_by = found["active"], found["configured"], found["fixed_by"]
    if found["until_restart"]:
        return f"{active} is active until Venom is started again; the settings name {configured}."
    if fixed_by:
        return f"{fixed_by} names {active}, and counts at each start."
    if found["origin"] == "file":
        return f"config.toml names {active}."
    return f"Nothing names a profile, so it is {active}."


def _row(found: Mapping[str, Any], name: str) -> dict[str, Any]:
    wanted = find_profile(name).name
    return next(row for row in found["profiles"] if row["name"] == wanted)


def _print_fields(fields: Mapping[str, Any]) -> None:
    width = max(cells(words(title)) for title in fields)
    for title, value in fields.items():
        print_beside(f"  {padded(words(title), width)}  ", _shown(value))


def _shown(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name}={_plain(one)}" for name, one in value.items())
    return ", ".join(map(str, value))


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
