"""Uninstalling a plugin from the command line: what goes is shown first."""

from __future__ import annotations

import contextlib
import sys
from typing import TYPE_CHECKING, Any

import click

from venom_core.cli.connection.session import connected
from venom_core.cli.terminal import ask, note, size
from venom_core.cli.wording import words
from venom_core.sdk.errors import NotFound
from venom_core.settings.paths import Paths

if TYPE_CHECKING:
    from venom_core.installing.uninstaller import Removal


def uninstall_and_show(name: str, *, purge: bool, ask_first: bool, quiet: bool) -> dict[str, Any]:
    """Show what goes, ask where wished, remove it; return the record of what was done.

    Args:
        purge: remove the data and the settings of its providers too.
        quiet: print nothing but questions.

    Raises:
        click.UsageError: the person said no, or could not be asked.
        VenomError: as the uninstaller and the host raise them.
    """
    # Imported here: pip's driver and the scan are too slow for `plugins --help`.
    from venom_core.installing import uninstaller
    from venom_core.sdk.pip import InstallFailed

    paths = Paths.resolve()
    uninstaller.plan_removal(name, paths)  # what is refused is refused before anything starts
    with connected("venom plugins uninstall", writes=True) as session:
        records = session.run(session.connection.plugins())
        removal = uninstaller.plan_removal(name, paths, _providers(records, name))
        if not quiet:
            show_removal(removal, purge=purge)
        if ask_first and not ask("Uninstall it?", default=False):
            raise click.UsageError(
                f"{name} was not uninstalled; --yes uninstalls without asking.",
                click.get_current_context(silent=True),
            )
        try:
            uninstaller.remove(removal, output=None if quiet else note)
        except InstallFailed as error:
            if not quiet:
                print(error.output, file=sys.stderr)
            raise
        for plugin in removal.plugins:
            with contextlib.suppress(NotFound):  # it was noticed meanwhile
                session.run(session.connection.change_plugin(plugin, "forget"))
        if purge:
            uninstaller.purge(removal, paths)
    return record_of(removal, purge=purge)


def _providers(records: list[dict[str, Any]], name: str) -> list[str]:
    """Return the names of the providers of a plugin that is loaded."""
    return [
        provider["name"]
        for record in records
        if name in (record["id"], record["distribution"])
        for provider in record["providers"]
    ]


def show_removal(removal: Removal, *, purge: bool) -> None:
    """Print on stderr what goes, and what becomes of the data."""
    amount = size(removal.size_bytes)
    note(
        f"{removal.distribution} {removal.version} goes: {removal.files} files, {amount}, in"
        f" {removal.folder}"
    )
    note("What it needed stays: others may need it.")
    if not purge:
        note("Its data and settings stay; --purge removes them too.")
        return
    for place in removal.data:
        print(f"  {words('Its data:')} {place}", file=sys.stderr)
    note(f"Its settings in the configuration file go, and {size(removal.data_bytes)} of data.")


def record_of(removal: Removal, *, purge: bool) -> dict[str, Any]:
    """Return what was removed as JSON values; sizes in bytes."""
    return {
        "success": True,
        "distribution": removal.distribution,
        "version": removal.version,
        "plugins": list(removal.plugins),
        "files": removal.files,
        "size_bytes": removal.size_bytes,
        "purged": purge,
        "data": [str(place) for place in removal.data],
    }
