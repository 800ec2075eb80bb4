"""`venom audit`."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import click

from venom_core.cli.connection.stored import stored_journal
from venom_core.cli.dates import spoken
from venom_core.cli.options import json_option
from venom_core.cli.terminal import print_json, print_table, say

_HELP = """Show who changed what, newest first: keys, plugins, models in use, erased data.

\b
  venom audit
  venom audit --limit 200 --json
"""


@click.command(help=_HELP)
@click.option("--limit", type=click.IntRange(1, 200), default=50, show_default=True)
@json_option
def audit(limit: int, as_json: bool) -> None:
    entries = asyncio.run(stored_journal().entries(limit))
    if as_json:
        print_json({"entries": [entry.record() for entry in entries]})
    elif not entries:
        say("Nothing was changed yet.")
    else:
        print_table(
            ("AT", "ACTION", "SUBJECT", "KEY", "AFTER"),
            [(spoken(e.at), e.action, e.subject, e.key_id, _shown(e.after)) for e in entries],
        )


def _shown(after: Mapping[str, Any] | None) -> str | None:
    return None if after is None else json.dumps(after, ensure_ascii=False)
