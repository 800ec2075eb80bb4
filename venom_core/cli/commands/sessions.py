"""`venom sessions`."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import IO

import click

from venom_core.cli.connection.stored import stored_sessions
from venom_core.cli.options import json_option
from venom_core.cli.terminal import as_json, print_json, print_table
from venom_core.store.audit import Actor
from venom_core.store.sessions import Owner

_HELP = """Show, export, import and delete stored conversations, those of every API key.

\b
  venom sessions
  venom sessions list --search holiday
  venom sessions export 1f0c9a3e --format markdown -o talk.md
"""
_MOST = 200

_key = click.option(
    "--key", "key_id", metavar="ID", help="The API key, where several have a session of this ID."
)


@click.group(help=_HELP, invoke_without_command=True)
@json_option
@click.pass_context
def sessions(context: click.Context, as_json: bool) -> None:
    if context.invoked_subcommand is None:
        _list(50, None, as_json)


@sessions.command("list")
@click.option("--limit", type=click.IntRange(1, _MOST), default=50, show_default=True)
@click.option("--search", metavar="TEXT", help="Only those whose title or messages contain it.")
@json_option
def list_sessions(limit: int, search: str | None, as_json: bool) -> None:
    """Show the conversations, pinned ones first, then newest first.

    \b
      venom sessions list --search holiday
    """
    _list(limit, search, as_json)


@sessions.command()
@click.argument("session_id", metavar="ID")
@_key
@json_option
def show(session_id: str, key_id: str | None, as_json: bool) -> None:
    """Show the latest branch of a conversation.

    \b
      venom sessions show 1f0c9a3e
    """
    sessions, owner = stored_sessions(), Owner(key_id)
    if as_json:
        session, messages = asyncio.run(sessions.get(owner, session_id))
        shown = {**session.record(), "key_id": session.key_id}
        print_json({"session": shown, "messages": [one.record() for one in messages]})
    else:
        print(asyncio.run(sessions.export_markdown(owner, session_id)), end="")


@sessions.command()
@click.argument("session_id", metavar="ID")
@click.option(
    "--format", "form", type=click.Choice(["json", "markdown"]), default="json", show_default=True
)
@click.option("--output", "-o", type=click.File("w", encoding="utf-8"), default="-")
@_key
def export(session_id: str, form: str, output: IO[str], key_id: str | None) -> None:
    """Write a conversation to a file: JSON has every branch, Markdown the latest.

    \b
      venom sessions export 1f0c9a3e -o talk.json
    """
    sessions, owner = stored_sessions(), Owner(key_id)
    if form == "markdown":
        output.write(asyncio.run(sessions.export_markdown(owner, session_id)))
    else:
        whole = asyncio.run(sessions.export_json(owner, session_id))
        output.write(as_json(whole) + "\n")


@sessions.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--key", "key_id", metavar="ID", default="", help="The API key that it will belong to."
)
@json_option
def import_session(file: Path, key_id: str, as_json: bool) -> None:
    """Import an exported conversation under a new ID; nothing is overwritten.

    \b
      venom sessions import talk.json
    """
    # Imported here: pydantic is too slow for `sessions --help`.
    from venom_core.chat.transcripts import not_importable, read_export

    try:
        found = read_export(file.read_text(encoding="utf-8"))
    except UnicodeDecodeError as error:
        raise not_importable("The file", "no text in UTF-8") from error
    made = asyncio.run(stored_sessions().take_in(Owner(key_id), found, Actor.local()))
    if as_json:
        print_json({"session": {**made.record(), "key_id": made.key_id}})
    else:
        print(f"Imported {made.messages} messages as {made.id}.")


@sessions.command()
@click.argument("session_id", metavar="ID")
@_key
@json_option
def rm(session_id: str, key_id: str | None, as_json: bool) -> None:
    """Delete a conversation with all its messages, for good.

    \b
      venom sessions rm 1f0c9a3e
    """
    gone = asyncio.run(stored_sessions().delete(Owner(key_id), session_id, Actor.local()))
    if as_json:
        print_json({"session": {**gone.record(), "key_id": gone.key_id}})
    else:
        print(f"Removed {gone.id}: {gone.title or '(no title)'}")


def _list(limit: int, search: str | None, as_json: bool) -> None:
    found = asyncio.run(stored_sessions().listing(Owner(None), limit, query=search))
    if as_json:
        print_json({"sessions": [{**one.record(), "key_id": one.key_id} for one in found]})
    elif not found:
        print("There are no conversations." if search is None else "No conversation contains that.")
    else:
        print_table(
            ("ID", "TITLE", "MESSAGES", "CHANGED", "PINNED", "KEY"),
            [
                (
                    *(one.id, one.title, one.messages, one.updated_at),
                    "yes" if one.pinned else None,
                    one.key_id or None,
                )
                for one in found
            ],
        )
