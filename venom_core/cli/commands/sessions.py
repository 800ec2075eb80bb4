"""`venom sessions`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from venom_core.cli.connection.stored import stored_sessions
from venom_core.cli.dates import spoken
from venom_core.cli.helping import WordsGroup
from venom_core.cli.keeping import MAX_LISTED, matching
from venom_core.cli.options import json_option
from venom_core.cli.terminal import as_json, print_json, print_table, say, short
from venom_core.cli.waiting import wait_for
from venom_core.cli.wording import words

if TYPE_CHECKING:
    from venom_core.store.sessions import Owner
    from venom_core.usecases.sessions import SessionUseCases

_HELP = """Show, rename, export, import and delete stored conversations, those of every API key and
those of this user. The first letters of an ID are enough; `venom run --session ID` goes on with
one.

\b
  venom sessions
  venom sessions list --search holiday
  venom sessions export 1f0c9a3e --format markdown -o talk.md
"""
_MOST = 200
_LONGEST_TITLE = 200

_key = click.option(
    "--key",
    "key_id",
    metavar="ID",
    help="The API key, where several have a session of this ID; local is this user.",
)


@click.group(cls=WordsGroup, help=_HELP, invoke_without_command=True)
@json_option
@click.pass_context
def sessions(context: click.Context, as_json: bool) -> None:
    if context.invoked_subcommand is None:
        _list(50, 0, None, as_json)


@sessions.command("list")
@click.option("--limit", type=click.IntRange(1, _MOST), default=50, show_default=True)
@click.option("--offset", type=click.IntRange(0), default=0, help="Leave out so many.")
@click.option("--search", metavar="TEXT", help="Only those whose title or messages contain it.")
@json_option
def list_sessions(limit: int, offset: int, search: str | None, as_json: bool) -> None:
    """Show the conversations, pinned ones first, then newest first.

    \b
      venom sessions list --search holiday
    """
    _list(limit, offset, search, as_json)


@sessions.command()
@click.argument("session_id", metavar="ID")
@_key
@json_option
def show(session_id: str, key_id: str | None, as_json: bool) -> None:
    """Show the latest branch of a conversation.

    \b
      venom sessions show 1f0c9a3e
    """
    sessions, owner, session_id = _found(session_id, key_id)
    if as_json:
        session, messages = wait_for(sessions.get(owner, session_id))
        shown = {**session.record(), "key_id": session.key_id}
        print_json({"session": shown, "messages": [one.record() for one in messages]})
    else:
        print(wait_for(sessions.export_markdown(owner, session_id)), end="")


@sessions.command()
@click.argument("session_id", metavar="ID")
@click.argument("title")
@_key
@json_option
def rename(session_id: str, title: str, key_id: str | None, as_json: bool) -> None:
    """Give a conversation another title.

    \b
      venom sessions rename 1f0c9a3e "Plans for the holiday"
    """
    if not 1 <= len(title) <= _LONGEST_TITLE:
        message = f"A title has 1 to {_LONGEST_TITLE} characters."
        raise click.BadParameter(message, param_hint="TITLE")
    sessions, owner, session_id = _found(session_id, key_id)
    changed = wait_for(sessions.change(owner, session_id, title, None))
    if as_json:
        print_json({"session": {**changed.record(), "key_id": changed.key_id}})
    else:
        say(f"{short(changed.id)} is called: {changed.title}")


@sessions.command()
@click.argument("session_id", metavar="ID")
@click.option(
    "--format", "form", type=click.Choice(["json", "markdown"]), default="json", show_default=True
)
@click.option("--output", "-o", type=click.Path(path_type=Path, dir_okay=False))
@_key
def export(session_id: str, form: str, output: Path | None, key_id: str | None) -> None:
    """Write a conversation to a file: JSON has every branch, Markdown the latest.

    \b
      venom sessions export 1f0c9a3e -o talk.json
    """
    sessions, owner, session_id = _found(session_id, key_id)
    if form == "markdown":
        _write(output, wait_for(sessions.export_markdown(owner, session_id)))
    else:
        whole = wait_for(sessions.export_json(owner, session_id))
        _write(output, as_json(whole) + "\n")


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
    from venom_core.sdk.text_files import read_text
    from venom_core.store.audit import Actor

    try:
        found = read_export(read_text(file))
    except UnicodeDecodeError as error:
        raise not_importable("The file", "no text in UTF-8") from error
    made = wait_for(stored_sessions().take_in(_owner(key_id), found, Actor.local()))
    if as_json:
        print_json({"session": {**made.record(), "key_id": made.key_id}})
    else:
        say(f"Imported {made.messages} messages as {made.id}.")


@sessions.command()
@click.argument("session_id", metavar="ID")
@_key
@json_option
def rm(session_id: str, key_id: str | None, as_json: bool) -> None:
    """Delete a conversation with all its messages, for good.

    \b
      venom sessions rm 1f0c9a3e
    """
    from venom_core.store.audit import Actor

    sessions, owner, session_id = _found(session_id, key_id)
    gone = wait_for(sessions.delete(owner, session_id, Actor.local()))
    if as_json:
        print_json({"session": {**gone.record(), "key_id": gone.key_id}})
    else:
        say(f"Removed {gone.id}: {gone.title or words('(no title)')}")


def _write(output: Path | None, text: str) -> None:
    """Write to the file that was named, else to stdout, the way of everything that goes there."""
    if output is None or str(output) == "-":
        print(text, end="", flush=True)
        return
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise click.FileError(str(output), error.strerror) from error


def _owner(key_id: str | None) -> Owner:
    # Imported here: the store is too slow for `sessions --help`.
    from venom_core.store.audit import LOCAL_USER
    from venom_core.store.sessions import Owner

    return Owner("" if key_id == LOCAL_USER else key_id)


def _found(start: str, key_id: str | None) -> tuple[SessionUseCases, Owner, str]:
    """Return the conversations, whose are meant, and the ID that begins so."""
    sessions, owner = stored_sessions(), _owner(key_id)
    listed = wait_for(sessions.listing(owner, MAX_LISTED))
    return sessions, owner, matching([dict(one.record()) for one in listed], start)


def _list(limit: int, offset: int, search: str | None, as_json: bool) -> None:
    from venom_core.store.audit import LOCAL_USER

    found = wait_for(stored_sessions().listing(_owner(None), limit, offset, search))
    if as_json:
        print_json({"sessions": [{**one.record(), "key_id": one.key_id} for one in found]})
    elif not found:
        say("There are no conversations." if search is None else "No conversation contains that.")
    else:
        print_table(
            ("ID", "TITLE", "MESSAGES", "CHANGED", "PINNED", "KEY"),
            [
                (
                    *(short(one.id), one.title, one.messages, spoken(one.updated_at)),
                    words("yes") if one.pinned else None,
                    one.key_id or LOCAL_USER,
                )
                for one in found
            ],
        )
