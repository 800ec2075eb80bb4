"""`venom restore`."""

from __future__ import annotations

from pathlib import Path

import click

from venom_core.cli.connection.lock import hold_data_directory
from venom_core.cli.dates import spoken
from venom_core.cli.options import json_option
from venom_core.cli.terminal import ask, print_json, say
from venom_core.settings.paths import Paths

_HELP = """Put a backup's store and settings in place of those that are here.

The server must not run. What was here is backed up first, and the file's name is printed. A backup
of an earlier release is migrated when it is first opened; one of a newer release is refused.

\b
  venom restore venom-backup-20261122T101500Z.zip
"""


@click.command(help=_HELP)
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
def restore(file: Path, yes: bool, as_json: bool) -> None:
    # Imported here: SQLite is too slow for `restore --help`.
    from venom_core.store.backup import read_backup, restore_backup

    paths = Paths.resolve()
    found = read_backup(file)
    with hold_data_directory(paths, "venom restore"):
        what = f"the backup made {spoken(found.created_at)} (Venom {found.version})"
        if not yes and (as_json or not ask(f"Replace what is in {paths.home} by {what}?")):
            raise click.UsageError("Not restored; --yes restores without asking.")
        before = restore_backup(paths, file)
    if as_json:
        kept = None if before is None else str(before)
        print_json({"restored": sorted(found.files), "version": found.version, "before": kept})
        return
    files, made = ", ".join(sorted(found.files)), spoken(found.created_at)
    say(f"Restored {files}; the backup was made {made}.")
    if before is not None:
        say(f"What was here before: {before}")
