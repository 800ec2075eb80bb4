"""`venom sessions`."""

from __future__ import annotations

from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click

from venom_core.cli.options import json_option

if TYPE_CHECKING:
    from venom_core.store.sessions import Owner, SessionRepository

_HELP = """Stored conversations, of every key: this command is the machine's user's.

\b
  venom sessions
  venom sessions list --search holiday
  venom sessions export 1f0c9a3e --format markdown -o talk.md
"""
_MOST = 200

_key = click.option("--key", "key_id", metavar="ID", help="Where several keys have such a session.")


@click.group(help=_HELP, invoke_without_command=True)
@json_option
@click.pass_context
def sessions(context: click.Context, as_json: bool) -> None:
    if context.invoked_subcommand is None:
        _list(50, None, as_json)


@sessions.command("list")
@click.option("--limit", type=click.IntRange(1, _MOST), default=50, show_default=True)
@click.option("--search", metavar="TEXT", help="What a title or a message contains.")
@json_option
def list_sessions(limit: int, search: str | None, as_json: bool) -> None:
    """Show them, pinned ones first, then newest first.

    \b
      venom sessions list --search holiday
    """
    _list(limit, search, as_json)


@sessions.command()
@click.argument("session_id", metavar="ID")
@_key
@json_option
def show(session_id: str, key_id: str | None, as_json: bool) -> None:
    """Show the latest branch of one.

    \b
      venom sessions show 1f0c9a3e
    """
    from venom_core.chat.sessions import path_to
    from venom_core.chat.transcripts import markdown
    from venom_core.cli.terminal import print_json

    session, messages = _repository_or_none_found(session_id).read(*_meant(session_id, key_id))
    if as_json:
        shown = {**session.record(), "key_id": session.key_id}
        print_json({"session": shown, "messages": [one.record() for one in messages]})
    else:
        print(markdown(session, path_to(messages, None)), end="")


@sessions.command()
@click.argument("session_id", metavar="ID")
@click.option(
    "--format", "form", type=click.Choice(["json", "markdown"]), default="json", show_default=True
)
@click.option("--output", "-o", type=click.File("w", encoding="utf-8"), default="-")
@_key
def export(session_id: str, form: str, output: IO[str], key_id: str | None) -> None:
    """Write one to a file: JSON has every branch, Markdown the latest.

    \b
      venom sessions export 1f0c9a3e -o talk.json
    """
    import json

    from venom_core.chat.sessions import path_to
    from venom_core.chat.transcripts import exported, markdown

    session, messages = _repository_or_none_found(session_id).read(*_meant(session_id, key_id))
    if form == "markdown":
        output.write(markdown(session, path_to(messages, None)))
    else:
        output.write(json.dumps(exported(session, messages), ensure_ascii=False, indent=2) + "\n")


@sessions.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--key", "key_id", metavar="ID", default="", help="The key that it is to belong to.")
@json_option
def import_session(file: Path, key_id: str, as_json: bool) -> None:
    """Take in what an export wrote, under a new ID; nothing is overwritten.

    \b
      venom sessions import talk.json
    """
    from venom_core.chat.sessions import new_id
    from venom_core.chat.transcripts import imported, not_importable, read_export
    from venom_core.cli.terminal import print_json
    from venom_core.store.sessions import Owner

    try:
        found = read_export(file.read_text(encoding="utf-8"))
    except UnicodeDecodeError as error:
        raise not_importable("The file", "no text in UTF-8") from error
    messages = imported(found)
    made = _repository(make=True).create(
        Owner(key_id), new_id(), found.title, messages, pinned=found.pinned
    )
    if as_json:
        print_json({"session": {**made.record(), "key_id": made.key_id}})
    else:
        print(f"Imported {made.messages} messages as {made.id}.")


@sessions.command()
@click.argument("session_id", metavar="ID")
@_key
@json_option
def rm(session_id: str, key_id: str | None, as_json: bool) -> None:
    """Delete one with all its messages, for good.

    \b
      venom sessions rm 1f0c9a3e
    """
    from venom_core.cli.terminal import print_json

    gone = _repository_or_none_found(session_id).delete(*_meant(session_id, key_id))
    if as_json:
        print_json({"session": {**gone.record(), "key_id": gone.key_id}})
    else:
        print(f"Removed {gone.id}: {gone.title or '(no title)'}")


def _list(limit: int, search: str | None, as_json: bool) -> None:
    from venom_core.cli.terminal import print_json, print_table
    from venom_core.store.sessions import Owner

    repository = _repository()
    found = [] if repository is None else repository.list(Owner(None), limit, query=search)
    if as_json:
        print_json({"sessions": [{**one.record(), "key_id": one.key_id} for one in found]})
    elif not found:
        print("There are no conversations." if search is None else "Nothing contains that.")
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


def _repository(*, make: bool = False) -> Any:
    """The store beside a running server; None where there is none and none is to be made."""
    from venom_core.settings.paths import Paths
    from venom_core.store.database import open_database
    from venom_core.store.sessions import SessionRepository

    paths = Paths.resolve()
    if not make and not paths.store_file.exists():
        return None
    return SessionRepository(open_database(paths.store_file))


def _repository_or_none_found(session_id: str) -> SessionRepository:
    from venom_core.store.sessions import session_not_found

    found: SessionRepository | None = _repository()
    if found is None:
        raise session_not_found(session_id)
    return found


def _meant(session_id: str, key_id: str | None) -> tuple[Owner, str]:
    from venom_core.store.sessions import Owner

    return Owner(key_id), session_id
