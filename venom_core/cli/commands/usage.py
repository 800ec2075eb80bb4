"""`venom usage`."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import click

from venom_core.cli.connection.session import connected
from venom_core.cli.connection.stored import stored_usage
from venom_core.cli.helping import WordsGroup
from venom_core.cli.options import json_option
from venom_core.cli.terminal import note, print_json, print_table, say
from venom_core.cli.waiting import wait_for
from venom_core.cli.wording import words

if TYPE_CHECKING:
    from venom_core.store.ledger import Grouping

_HELP = """Show requests, tokens, errors and speed. Days are UTC. The last second of a running
server may be missing.

\b
  venom usage
  venom usage --days 7 --by key
  venom usage --days 365 --by day --json
"""

_FIRST = {"model": "MODEL", "key": "KEY", "provider": "PROVIDER", "day": "DAY"}


@click.group(cls=WordsGroup, help=_HELP, invoke_without_command=True)
@click.option("--days", type=click.IntRange(1, 3660), default=30, show_default=True)
@click.option(
    "--by",
    type=click.Choice(["model", "key", "provider", "day"]),
    default="model",
    show_default=True,
    help="What each line counts.",
)
@click.option("--limit", type=click.IntRange(1, 1000), default=200, show_default=True)
@click.option("--offset", type=click.IntRange(0), default=0, help="Leave out so many lines.")
@json_option
@click.pass_context
def usage(
    context: click.Context, days: int, by: Grouping, limit: int, offset: int, as_json: bool
) -> None:
    if context.invoked_subcommand is not None:
        return
    # Imported here: the store is too slow for `usage --help`.
    from venom_core.accounting.ledger import day_of
    from venom_core.accounting.usage import last_days
    from venom_core.store.ledger import Range

    where = Range(*last_days(days, day_of(time.time())))
    # From the ledger itself, beside a running server too.
    summary: dict[str, Any] = dict(wait_for(stored_usage().summary(where, by, limit, offset)))
    if as_json:
        print_json(summary)
        return
    if not summary["count"]:
        say(f"Nothing was asked since {summary['since']}.")
        return
    columns = (_FIRST[by], "REQUESTS", "REFUSED", "FAILED", "PROMPT", "ANSWER", "FIRST", "TOKENS/S")
    rows = [_row(_named(group, by), group) for group in summary["groups"]]
    if len(rows) > 1:
        rows.append(_row(words("all"), summary["totals"]))
    print_table(columns, rows)
    if (shown := offset + len(summary["groups"])) < summary["count"]:
        note(f"More: venom usage --days {days} --by {by} --offset {shown}")
    if errors := summary["totals"]["errors"]:
        counts = ", ".join(f"{code} {count}" for code, count in errors.items())
        say(f"Errors: {counts}")


def _named(group: dict[str, Any], by: Grouping) -> str:
    """Return the name to show: a key's own name, and words where a name is empty."""
    name: str = group["name"]
    if group["key_name"]:
        return f"{name} ({group['key_name']})"
    nothing = {"key": "(no key)", "provider": "(none)", "model": "(none)"}
    return words(nothing[by]) if name in ("", "://") and by in nothing else name


def _row(name: str, group: dict[str, Any]) -> tuple[object, ...]:
    first = group["time_to_first_token_ms"]
    return (
        name,
        group["requests"],
        group["refused"],
        group["failed"],
        group["prompt_tokens"],
        group["completion_tokens"] + group["estimated_tokens"],
        None if first is None else f"{first:.0f} ms",
        group["tokens_per_second"],
    )


@usage.command()
@click.option("--key", "key_id", metavar="ID", required=True, help="As `venom keys list` shows it.")
@json_option
def erase(key_id: str, as_json: bool) -> None:
    """Delete everything that was counted for a key.

    \b
      venom usage erase --key 1f0c9a3e
    """
    with connected("venom usage erase", writes=True) as session:
        lines = session.run(session.connection.erase_usage(key_id))
    if as_json:
        print_json({"key": key_id, "lines": lines})
    else:
        say(f"Erased {lines} lines of {key_id}.")
