"""`venom logs`."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime
from typing import Any

import click

from venom_core.cli.dates import spoken
from venom_core.cli.log_reading import SERVER, Log, find_logs, last_lines, named, new_lines
from venom_core.cli.options import json_option
from venom_core.cli.terminal import note, print_json, print_table, say, size
from venom_core.sdk.utc import utc_text
from venom_core.settings.paths import Paths

_HELP = """Show the log of the server and the commands, or that of an engine: NAME is a name that
`venom logs --list` shows, or a part of it.

\b
  venom logs
  venom logs -f
  venom logs -n 200 llamacpp
  venom logs --list
"""


@click.command(help=_HELP)
@click.argument("name", default=SERVER, metavar="[NAME]")
@click.option("--follow", "-f", is_flag=True, help="Go on with what is written, until Ctrl-C.")
@click.option(
    "--lines",
    "-n",
    "count",
    type=click.IntRange(0, 100_000),
    default=50,
    show_default=True,
    metavar="N",
    help="So many of its last lines.",
)
@click.option("--list", "listing", is_flag=True, help="Show the logs that are there.")
@json_option
def logs(name: str, follow: bool, count: int, listing: bool, as_json: bool) -> None:
    if follow and as_json:
        message = "A log that goes on is no JSON document: leave out --json or --follow."
        raise click.UsageError(message, click.get_current_context())
    paths = Paths.resolve()
    if listing:
        _list(find_logs(paths), as_json)
        return
    log = named(paths, name)
    coming = new_lines(log.file)  # from before its end is read: nothing in between is lost
    lines = last_lines(log.file, count)
    if as_json:
        print_json({"name": log.name, "file": str(log.file), "lines": lines})
        return
    if not lines and count and not follow:
        say(f"Nothing is in this log yet: {log.file}. The server writes it: venom serve")
    for line in lines:
        print(line)
    if follow:
        note(f"Waiting for what is written to {log.file}. Ctrl-C ends it.")
        with contextlib.suppress(KeyboardInterrupt):
            for line in coming:
                print(line, flush=True)


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
