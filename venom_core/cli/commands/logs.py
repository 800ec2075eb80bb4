"""`venom logs`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import click

from venom_core.cli.dates import spoken
from venom_core.cli.log_reading import named
from venom_core.cli.log_showing import check_options, log_options, show_log
from venom_core.cli.options import json_option
from venom_core.cli.terminal import print_json, print_table, say, size
from venom_core.runtime.log_files import SERVER, Log, find_logs
from venom_core.sdk.utc import utc_text
from venom_core.settings.paths import Paths

_HELP = """Show the log of the server and the commands, or that of an engine: NAME is a name that
`venom logs --list` shows, or a part of it.

\b
  venom logs
  venom logs -f
  venom logs -n 200 llamacpp
  venom logs --since 10m
  venom logs --list
"""


@click.command(help=_HELP)
@click.argument("name", default=SERVER, metavar="[NAME]")
@log_options
@click.option("--list", "listing", is_flag=True, help="Show the logs that are there.")
@json_option
def logs(
    name: str,
    follow: bool,
    count: int | None,
    since: datetime | None,
    listing: bool,
    as_json: bool,
) -> None:
    check_options(follow=follow, as_json=as_json)
    paths = Paths.resolve()
    if listing:
        _list(find_logs(paths), as_json)
        return
    show_log(named(paths, name), count, follow=follow, as_json=as_json, since=since)


def _list(found: list[Log], as_json: bool) -> None:
    states = [(log, log.file.stat()) for log in found]
    rows: list[dict[str, Any]] = [
        {
            "name": log.name,
            "file": str(log.file),
            "size_bytes": state.st_size,
            "changed_at": utc_text(datetime.fromtimestamp(state.st_mtime, UTC)),
        }
        for log, state in states
    ]
    if as_json:
        print_json({"logs": rows})
    elif not rows:
        say("There is no log yet. The server writes one: venom serve")
    else:
        print_table(
            ("NAME", "SIZE", "CHANGED", "FILE"),
            [
                (row["name"], size(row["size_bytes"]), spoken(row["changed_at"]), row["file"])
                for row in rows
            ],
        )
