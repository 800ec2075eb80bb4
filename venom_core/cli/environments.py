"""Environments of engines from the command line: the size first, then the install.

No server takes part: it sees an environment when it next uses one. The lock of the environment
keeps two from working on it, or on one that a build uses.
"""

from __future__ import annotations

import contextlib
import sys
from typing import TYPE_CHECKING, Any

import click

from venom_core.cli.pulling import progress_of
from venom_core.cli.terminal import ask, note, print_json, print_table, say, size
from venom_core.cli.wording import words

if TYPE_CHECKING:
    from venom_core.installing.environments import EnvironmentInstaller, EnvironmentPlan
    from venom_core.sdk.environments import Environment

KEPT = (
    "Stopped; nothing half-installed is used. The same command goes on with what was fetched, and "
    "venom engines remove deletes it."
)
WAITING = "Another process works on it; waiting. Ctrl-C stops this."


def environment_records() -> list[dict[str, Any]]:
    """Return every environment that an installed plugin declares, as JSON values."""
    return [record_of(one) for one in _environments().values()]


def show_environments(records: list[dict[str, Any]]) -> None:
    """Show environments as a table, and how to mend those that are not whole."""
    if not records:
        say("No installed plugin needs an environment of its own.")
        return
    print_table(
        ("NAME", "STATE", "TO FETCH", "ON THE DISK", "WHAT FOR"),
        [
            (
                record["name"],
                words(record["state"]),
                size(record["download_bytes"]),
                size(record["size_bytes"] or record["disk_bytes"]),
                words(record["summary"]),
            )
            for record in records
        ],
    )
    for record in records:
        if record["state"] in ("unfinished", "outdated"):
            say(f"To mend it: venom engines install {record['name']}")


def install_and_show(name: str, *, any_size: bool, ask_first: bool, as_json: bool) -> None:
    """Say the size, ask where wished, install; an environment that works is left as it is.

    Raises:
        click.UsageError: the person said no, or could not be asked.
        VenomError: as ``EnvironmentInstaller`` and ``find_environment`` raise them.
    """
    from venom_core.installing.environments import EnvironmentInstaller

    environment = _find(name)
    installer = EnvironmentInstaller(environment)
    if environment.state() != "ready":
        installer.check()
        declared = environment.declared
        note(
            f"{declared.title}: about {size(declared.download_bytes)} to fetch, and"
            f" {size(declared.disk_bytes)} on the disk, in {environment.folder}"
        )
        if ask_first and not ask("Install it?", default=False):
            raise click.UsageError(
                f"{name} was not installed; --yes installs without asking.",
                click.get_current_context(silent=True),
            )
    try:
        with environment.held(wait=lambda: note(WAITING)):
            installed = _install(installer, environment, any_size=any_size)
    except KeyboardInterrupt:
        print(f"\n{words(KEPT)}", file=sys.stderr)
        raise
    record = record_of(environment)
    if as_json:
        print_json({"success": True, **record})
    elif installed:
        say(f"{name} is installed: {size(record['size_bytes'])}.")
    else:
        say(f"{name} is installed already, and it works.")


def _install(installer: EnvironmentInstaller, environment: Environment, *, any_size: bool) -> bool:
    """Make it where it is not whole; return whether it was made."""
    import asyncio

    from venom_core.sdk.pip import InstallFailed

    name = environment.declared.name
    if environment.state() == "ready":
        note("Trying whether it works")
        if asyncio.run(installer.fault()) is None:
            return False
        note(f"{name} is damaged; it is made anew.")
        installer.check()
    note(f"Looking up what {name} needs")
    try:
        plan = installer.plan(any_size=any_size)
        note(f"{len(plan.additions)} packages, {size(plan.size_bytes)}")
        asyncio.run(_shown(installer, plan, name))
    except InstallFailed as error:
        print(error.output, file=sys.stderr)
        raise
    return True


async def _shown(installer: EnvironmentInstaller, plan: EnvironmentPlan, name: str) -> None:
    with progress_of(name, in_bytes=False) as show:
        async with contextlib.aclosing(installer.install(plan)) as steps:
            async for step in steps:
                show(
                    {
                        "operation_type": "build",
                        "status": step.status,
                        "message": step.message,
                        "progress": step.percent,
                        "bytes_done": 0,
                        "bytes_total": None,
                    }
                )


def remove_and_show(name: str, *, ask_first: bool, as_json: bool) -> None:
    """Say what goes, ask where wished, remove it; nothing is wrong where it is not there.

    Raises:
        click.UsageError: the person said no, or could not be asked.
        Conflict: ``environment_busy``.
        VenomError: as ``find_environment``, and where a file cannot be removed.
    """
    from venom_core.installing.environments import EnvironmentInstaller, wheels_of
    from venom_core.sdk.disk import size_of_tree

    environment = _find(name)
    freed = size_of_tree(environment.folder) + size_of_tree(wheels_of(environment))
    if environment.state() == "missing" and not freed:
        _removed(name, 0, as_json)
        return
    note(f"{environment.declared.title} goes: {size(freed)}, in {environment.folder}")
    if ask_first and not ask("Remove it?", default=False):
        raise click.UsageError(
            f"{name} was not removed; --yes removes without asking.",
            click.get_current_context(silent=True),
        )
    with environment.held():
        EnvironmentInstaller(environment).remove()
    _removed(name, freed, as_json)


def _removed(name: str, freed: int, as_json: bool) -> None:
    if as_json:
        print_json({"success": True, "name": name, "freed_bytes": freed})
    elif freed:
        say(f"{name} is removed; {size(freed)} are free again.")
    else:
        say(f"{name} is not installed; there is nothing to remove.")


def record_of(environment: Environment) -> dict[str, Any]:
    """Return an environment as JSON values; sizes in bytes, null where it is not whole."""
    declared, whole = environment.declared, environment.record() or {}
    return {
        "name": declared.name,
        "title": declared.title,
        "summary": declared.summary,
        "state": environment.state(),
        "folder": str(environment.folder),
        "download_bytes": declared.download_bytes,
        "disk_bytes": declared.disk_bytes,
        "size_bytes": whole.get("size_bytes"),
        "packages": list(declared.packages),
        "installed": whole.get("installed"),
    }


def _find(name: str) -> Environment:
    from venom_core.installing.environments import find_environment

    return find_environment(_environments(), name)


def _environments() -> dict[str, Environment]:
    """Return what the installed plugins declare: their manifests are loaded in this process."""
    # Imported here: the loop, the host and the settings are too slow for `engines --help`.
    import asyncio

    from venom_core.cli.connection import local
    from venom_core.installing.environments import environments_of

    venom = local.make_venom()
    asyncio.run(venom.host.load_all())
    return environments_of(venom.host.specs(), venom.settings.paths)
