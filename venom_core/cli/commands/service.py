"""`venom service`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from venom_core.cli.helping import WordsGroup
from venom_core.cli.options import json_option
from venom_core.cli.terminal import note, print_beside, print_json, say
from venom_core.cli.wording import words
from venom_core.settings.paths import Paths

if TYPE_CHECKING:
    from venom_core.cli.service_install import Service

_HELP = """Let the system run the server: at each login, and again when it failed.

It is a service of this user, under systemd or, on macOS, launchd. Nothing of it needs root. Its
settings are those of config.toml in the data directory.

\b
  venom service install --dry-run
  venom service install --now
  venom service status
  venom service remove
"""


@click.group(cls=WordsGroup, help=_HELP)
def service() -> None:
    """Replaced by ``_HELP``."""


force_option = click.option(
    "--force", is_flag=True, help="Also where the file was written by somebody else."
)


@service.command()
@click.option("--dry-run", is_flag=True, help="Print the file instead of writing it.")
@click.option("--now", is_flag=True, help="Start it at once, and at each login.")
@force_option
@json_option
def install(dry_run: bool, now: bool, force: bool, as_json: bool) -> None:
    """Write the service's file, with this Python and this data directory in it.

    A second time it changes nothing, or brings the file up to date after an update. With --now a
    step that fails undoes those before it.

    \b
      venom service install --dry-run
      venom service install
      venom service install --now
      VENOM_HOME=/srv/venom venom service install --now
    """
    known = _service()
    if dry_run:
        if as_json:
            print_json({"file": str(known.manager.file), "text": known.text})
        else:
            note(f"File: {known.manager.file}")
            print(known.text, end="")
        return
    if now:
        _check_nobody_serves(known)
    paths = Paths.resolve()
    paths.make(paths.home)
    done = known.install(now=now, force=force)
    if as_json:
        print_json(done)
        return
    say(f"Written: {done['file']}" if done["changed"] else f"As it was: {done['file']}")
    if done["started"]:
        say("The server runs, and starts at each login.")
    else:
        say("To start it, now and at each login:")
        for command in done["next"]:
            print(f"  {command}")
    if done["manager"] == "systemd":
        say("To start it with the machine, before you log in: loginctl enable-linger")


@service.command()
@force_option
@json_option
def remove(force: bool, as_json: bool) -> None:
    """Stop the service and remove its file. The data directory stays.

    \b
      venom service remove
    """
    done = _service().remove(force=force)
    if as_json:
        print_json(done)
    elif done["removed"]:
        say(f"Removed: {done['file']}")
    else:
        say("There is no service to remove.")


@service.command()
@json_option
def status(as_json: bool) -> None:
    """Show whether the service is installed, and what the system says of it.

    \b
      venom service status
      venom service status --json
    """
    state = _service().state()
    if as_json:
        print_json(state)
        return
    if not state["installed"]:
        say("There is no service yet. Write one: venom service install")
        return
    rows = [(words("File:"), state["file"])]
    if not state["ours"]:
        rows.append(("", words("It was not written by venom service install.")))
    elif not state["current"]:
        rows.append(("", words("It is out of date. Write it anew: venom service install")))
    if state["answers"]:
        said = [state["active"], state["enabled"], state["pid"] and f"pid {state['pid']}"]
        rows.append((words("State:"), ", ".join(str(one) for one in said if one) or "-"))
        if state["status"]:
            rows.append(("", state["status"]))
    else:
        rows.append(
            (words("State:"), words(f"{state['manager']} cannot be asked in this session."))
        )
    width = max(len(label) for label, _ in rows) + 1
    for label, text in rows:
        print_beside(f"{label:{width}}", text)


def _service() -> Service:
    # Imported here: what asks the system's programs is too slow for a help.
    from venom_core.cli.service_install import Service
    from venom_core.cli.service_managers import manager_of_this_system
    from venom_core.cli.service_units import ServedInstallation

    served = ServedInstallation(Path(sys.executable), Paths.resolve().home)
    return Service(manager_of_this_system(), served)


def _check_nobody_serves(known: Service) -> None:
    """Raise ``Conflict`` where a server that the service did not start works in its place: two
    cannot have one data directory."""
    from venom_core.cli.connection.lock import busy
    from venom_core.cli.connection.server_file import find_server

    paths = Paths.resolve()
    record = find_server(paths)
    if record is not None and known.state()["pid"] != record.pid:
        raise busy(paths)
