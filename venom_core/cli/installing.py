"""Installing a plugin from the command line: the plan first, then exactly that."""

from __future__ import annotations

import logging
import os
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from venom_core.cli.terminal import ask, ask_for, interactive, note, size
from venom_core.cli.wording import words
from venom_core.sdk.errors import VenomError
from venom_core.settings.paths import Paths

if TYPE_CHECKING:
    from venom_core.installing.installer import InstallPlan, PluginInstaller

INTERRUPTED = "Stopped. Run the command again to go on; half-installed packages are installed anew."

log = logging.getLogger(__name__)

#: Seconds that a screen waits for the size of what it offers.
ESTIMATE_SECONDS = 6.0
#: Refusals that another folder of wheels may cure.
_NOT_THERE = ("plugin_not_available", "wheelhouse_not_found")


def make_installer(wheelhouse: str | None = None) -> PluginInstaller:
    """Return an installer of this environment, from the named folder or from where packages come
    from."""
    # Imported here: pydantic and pip's driver are too slow for `plugins --help`.
    from venom_core.installing.installer import PluginInstaller
    from venom_core.settings.layers import Settings

    paths = Paths.resolve()
    named = {"VENOM_WHEELHOUSE": wheelhouse} if wheelhouse else {}
    return PluginInstaller(Settings.load(paths, {**os.environ, **named}), paths)


def estimate(name: str) -> int | None:
    """Return the bytes that installing would fetch; None where that is not known in time."""
    found: list[int] = []

    def plan() -> None:
        try:
            found.append(make_installer().plan(name).size_bytes)
        except VenomError as error:
            log.info("no estimate for %s: %s", name, error.message)

    worker = threading.Thread(target=plan, daemon=True)
    worker.start()
    worker.join(ESTIMATE_SECONDS)
    return found[0] if found and found[0] else None


def install_and_show(
    name: str, *, third_party: bool = False, ask_first: bool = False, quiet: bool = False
) -> dict[str, Any]:
    """Plan, show, ask where wished, install; return the record of what was done.

    Args:
        ask_first: without a terminal nothing is installed then.
        quiet: print nothing but questions.

    Raises:
        click.UsageError: the person said no, or could not be asked.
        VenomError: as the installer raises them.
    """
    from venom_core.installing.wheels import is_wheel_file
    from venom_core.sdk.pip import InstallFailed

    if not quiet:
        note(f"Looking up what {name} needs")
    try:
        may_ask = not (quiet or third_party or is_wheel_file(name)) and interactive()
        installer, plan = _planned(name, third_party=third_party, may_ask=may_ask)
        if not quiet:
            show_plan(plan)
        if not plan.done:
            if ask_first and not ask("Install it?", default=False):
                raise click.UsageError(
                    f"{name} was not installed; --yes installs without asking.",
                    click.get_current_context(silent=True),
                )
            _carry_out(installer, plan, quiet=quiet)
    except InstallFailed as error:
        if not quiet:
            print(error.output, file=sys.stderr)
        raise
    return record_of(plan)


def _planned(name: str, *, third_party: bool, may_ask: bool) -> tuple[PluginInstaller, InstallPlan]:
    """Return the plan and the installer that made it. pip records of no install which folder it
    found the wheels in, so where its index has none of this release a person is asked for that
    folder."""
    installer = make_installer()
    try:
        return installer, installer.plan(name, third_party=third_party)
    except VenomError as error:
        if not may_ask or error.code not in _NOT_THERE:
            raise
        refusal = error
    note(f"The package source of this installation has no {name} of this release.")
    while folder := ask_for("The folder with the wheels that Venom was installed from: [none] "):
        try:
            installer = make_installer(folder)
            return installer, installer.plan(name)
        except VenomError as error:
            if error.code not in _NOT_THERE:
                raise
            note(
                "That folder does not have it either."
                if Path(folder).is_dir()
                else "That is not a folder."
            )
    raise refusal


def _carry_out(installer: PluginInstaller, plan: InstallPlan, *, quiet: bool) -> None:
    try:
        installer.install(plan, output=None if quiet else note)
    except KeyboardInterrupt:
        if not quiet:
            print(f"\n{words(INTERRUPTED)}", file=sys.stderr)
        raise


def show_plan(plan: InstallPlan) -> None:
    """Print the plan on stderr: the sentence, and a line for each distribution."""
    print(words(plan.summary), file=sys.stderr)
    if plan.wheel is not None and not plan.done:
        note("It is not part of Venom's release, and can run any code here.")
    for addition in plan.additions:
        count = addition.size_bytes
        amount = words("size unknown") if count is None else size(count)
        replaces = words(f", replaces {addition.replaces}") if addition.replaces else ""
        print(f"  {addition.name} {addition.version}   {amount}{replaces}", file=sys.stderr)


def record_of(plan: InstallPlan) -> dict[str, Any]:
    """Return the plan as JSON values; sizes in bytes, null where unknown."""
    return {
        "success": True,
        "name": plan.name,
        "first_party": plan.first_party,
        "requirement": plan.requirement,
        "source": plan.source.title if plan.wheel is None else str(plan.wheel.path),
        "size_bytes": plan.size_bytes,
        "additions": [
            {
                "name": addition.name,
                "version": addition.version,
                "size_bytes": addition.size_bytes,
                "replaces": addition.replaces,
                "sha256": addition.sha256,
            }
            for addition in plan.additions
        ],
    }
