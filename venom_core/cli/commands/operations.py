"""`venom operations`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from venom_core.cli.connection.session import connected
from venom_core.cli.helping import WordsGroup
from venom_core.cli.options import json_option
from venom_core.cli.pulling import show_to_the_end
from venom_core.cli.terminal import note, print_json, print_table, say, short, size
from venom_core.cli.wording import words
from venom_core.sdk.errors import InvalidRequest, NotFound

if TYPE_CHECKING:
    from venom_core.cli.connection.loop import Session
    from venom_core.usecases.operations import OperationVerb

_HELP = """Show installs, builds and removals, newest first, and pause, resume or cancel them.

An install survives whatever ends the server and goes on at its next start, and so does a build. The
first letters of an ID are enough.

\b
  venom operations
  venom operations pause 3f2a
  venom operations cancel 3f2a
"""
_MOST = 200


@click.group(cls=WordsGroup, help=_HELP, invoke_without_command=True)
@click.option("--limit", type=click.IntRange(1, _MOST), default=10, show_default=True)
@click.option("--cursor", metavar="ID", help="Go on behind the last answer.")
@json_option
@click.pass_context
def operations(ctx: click.Context, limit: int, cursor: str | None, as_json: bool) -> None:
    if ctx.invoked_subcommand is not None:
        return
    with connected("venom operations", writes=False) as session:
        page = session.run(session.connection.operations(limit, cursor))
    found = page["operations"]
    if as_json:
        print_json({"operations": found, "next_cursor": page["next_cursor"]})
    elif not found:
        say("Nothing was installed or removed yet. Fetch a model with: venom pull NAME")
    else:
        rows = [
            (
                short(item["operation_id"]),
                words(item["operation_type"]),
                item["model_name"],
                words(item["status"]),
                _amount(item),
                words(item["error"] or item["message"]),
            )
            for item in found
        ]
        print_table(("ID", "WHAT", "MODEL", "STATUS", "PROGRESS", "MESSAGE"), rows)
        if page["next_cursor"] is not None:
            note(f"Older ones: venom operations --cursor {page['next_cursor']}")


@operations.command()
@click.argument("operation_id", metavar="ID")
@json_option
def pause(operation_id: str, as_json: bool) -> None:
    """Stop an install for now and keep what it has.

    \b
      venom operations pause 3f2a
    """
    _change(operation_id, "pause", as_json)


@operations.command()
@click.argument("operation_id", metavar="ID")
@json_option
def resume(operation_id: str, as_json: bool) -> None:
    """Go on with an install that is paused or failed. Without a running server use: venom pull

    \b
      venom operations resume 3f2a
    """
    _change(operation_id, "resume", as_json)


@operations.command()
@click.argument("operation_id", metavar="ID")
@json_option
def cancel(operation_id: str, as_json: bool) -> None:
    """Cancel an install and delete what it has fetched.

    \b
      venom operations cancel 3f2a
    """
    _change(operation_id, "cancel", as_json)


def _change(start: str, verb: OperationVerb, as_json: bool) -> None:
    with connected(f"venom operations {verb}", writes=True) as session:
        found = _find(session, start)
        connection = session.connection
        operation = session.run(connection.change_operation(found["operation_id"], verb))
        if verb == "resume" and connection.url is None:
            # Nobody else would go on with it once this command has ended.
            operation = show_to_the_end(session, operation)
    if as_json:
        print_json(operation)
    else:
        print(f"{operation['model_name']}: {words(operation['status'])}")


def _find(session: Session, start: str) -> dict[str, Any]:
    """Return the one operation whose ID begins so. Raises ``NotFound`` or ``InvalidRequest``."""
    found: list[dict[str, Any]] = []
    cursor = None
    while start:
        page = session.run(session.connection.operations(_MOST, cursor))
        found += [one for one in page["operations"] if one["operation_id"].startswith(start)]
        if (cursor := page["next_cursor"]) is None:
            break
    if not found:
        raise NotFound(
            f"There is no operation {start!r}.",
            code="operation_not_found",
            fix="See the operations with: venom operations",
        )
    if len(found) > 1:
        raise InvalidRequest(
            f"{len(found)} operations begin with {start!r}.",
            code="operation_ambiguous",
            fix="Give more letters of the ID; venom operations --json shows them whole.",
        )
    return found[0]


def _amount(item: dict[str, Any]) -> str:
    total = item["bytes_total"]
    done = f"{size(item['bytes_done'])} {words('of')} {size(total)}" if total else ""
    return ", ".join(part for part in (f"{item['progress']} %", done) if part)
