"""`venom backup`."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from shlex import quote

import click

from venom_core.cli.options import json_option
from venom_core.cli.terminal import print_json, say, size
from venom_core.settings.paths import Paths

_HELP = """Write the store and the settings to one file.

In it are API keys (their hashes), conversations, operations, the usage ledger, config.toml, and
your secrets: keep it as safe as those. Models are not in it. The server may go on running.

\b
  venom backup
  venom backup ~/venom-before-upgrade.zip
"""


@click.command(help=_HELP)
@click.argument("file", required=False, type=click.Path(path_type=Path))
@json_option
def backup(file: Path | None, as_json: bool) -> None:
    # Imported here: SQLite is too slow for `backup --help`.
    from venom_core.store.backup import write_backup

    target = file or Path(f"venom-backup-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.zip")
    found = write_backup(Paths.resolve(), target.absolute())
    if as_json:
        print_json({"file": str(target.absolute()), **asdict(found)})
        return
    print(f"{target}  {size(target.stat().st_size)}  {', '.join(found.files)}")
    say(f"Put it back with: venom restore {quote(str(target))}")
