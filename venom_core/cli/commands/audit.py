"""`venom audit`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import click

from venom_core.cli.connection.stored import stored_journal
from venom_core.cli.dates import spoken
from venom_core.cli.options import json_option
from venom_core.cli.terminal import note, print_json, print_table, say
from venom_core.cli.waiting import wait_for

_HELP = """Show who changed what, newest first: keys, plugins, models in use, erased data.

\b
  venom audit
  venom audit --limit 200 --json
  venom audit --cursor 1041
  venom audit --action key --since 2026-11-01
"""

DAY = click.DateTime(["%Y-%m-%d"])


@click.command(help=_HELP)
@click.option("--limit", type=click.IntRange(1, 200), default=50, show_default=True)
@click.option("--cursor", type=click.IntRange(1, 2**63 - 1), help="Go on behind the last answer.")
@click.option("--action", metavar="ACTION", help="One, or all of a kind: key.create, key.")
@click.option("--key", metavar="ID", help="Of one key; `local` is this machine's user.")
@click.option("--since", type=DAY, metavar="DAY", help="The first day, UTC.")
@click.option("--until", type=DAY, metavar="DAY", help="The last day, UTC.")
@json_option
def audit(
    limit: int,
    cursor: int | None,
    action: str | None,
    key: str | None,
    since: datetime | None,
    until: datetime | None,
    as_json: bool,
) -> None:
    # Imported here: the store is too slow for `audit --help`.
    from venom_core.store.audit import AuditWanted

    days = (None if day is None else day.date().isoformat() for day in (since, until))
    wanted = AuditWanted(action, key, *days)
    trail = wait_for(stored_journal().page(limit, cursor, wanted))
    if as_json:
        print_json(trail)
    elif not trail["entries"]:
        say("Nothing was changed yet." if cursor is None else "Nothing is older.")
    else:
        print_table(
            ("AT", "ACTION", "SUBJECT", "KEY", "AFTER"),
            [
                (spoken(e["at"]), e["action"], e["subject"], e["key_id"], _shown(e["after"]))
                for e in trail["entries"]
            ],
        )
        if trail["next_cursor"] is not None:
            note(f"Older ones: venom audit --cursor {trail['next_cursor']}")


def _shown(after: Mapping[str, Any] | None) -> str | None:
    return None if after is None else json.dumps(after, ensure_ascii=False)
