"""Sessions as files: JSON that another Venom takes in, and Markdown for people."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError
from typing_extensions import TypedDict

from venom_core.chat.history import images_of
from venom_core.chat.sessions import TakenSession
from venom_core.chat.validation import Body
from venom_core.sdk.errors import InvalidRequest
from venom_core.sdk.numbers import plain
from venom_core.sdk.utc import utc_text
from venom_core.store.sessions import (
    MAX_MESSAGES,
    Message,
    MessageRecord,
    MessageRole,
    StoredSession,
)

MAX_CONTENT = 1_000_000
MAX_DETAILS = 200_000
#: A question has its images there.
MAX_QUESTION_DETAILS = 4_000_000

Title = Annotated[str, Field(max_length=200)]
_Id = Annotated[str, Field(min_length=1, max_length=64)]


class ImportedMessage(Body):
    """A message as :func:`exported` writes it; a parent stands before its children."""

    id: _Id
    parent_message_id: _Id | None = None
    role: MessageRole
    content: str = Field(max_length=MAX_CONTENT)
    model: str | None = Field(default=None, max_length=250)
    details: dict[str, Any] | None = None
    created_at: str | None = Field(default=None, max_length=40)


class ImportedSession(Body):
    """A whole export."""

    format: Literal["venom-session"]
    version: Literal[1]
    title: Title = ""
    pinned: bool = False
    created_at: str | None = Field(default=None, max_length=40)
    updated_at: str | None = Field(default=None, max_length=40)
    messages: list[ImportedMessage] = Field(max_length=MAX_MESSAGES)


class SessionExport(TypedDict):
    """A whole session with every branch, as ``POST /api/v1/sessions/import`` takes it."""

    format: Literal["venom-session"]
    version: Literal[1]
    title: str
    pinned: bool
    created_at: str
    updated_at: str
    messages: list[MessageRecord]


def exported(session: StoredSession, messages: Sequence[Message]) -> SessionExport:
    """Return everything of a session, every branch too, as JSON values."""
    return {
        "format": "venom-session",
        "version": 1,
        "title": session.title,
        "pinned": session.pinned,
        "created_at": session.created_at,
        "updated_at": session.updated_at,
        "messages": [message.record() for message in messages],
    }


def read_export(text: str) -> ImportedSession:
    """Return the session in a file. Raises ``InvalidRequest`` (``invalid_session``) naming the
    place."""
    try:
        return ImportedSession.model_validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise not_importable(place or "The file", str(first["msg"]).rstrip(".")) from error


def imported(session: ImportedSession, session_id: str | None = None) -> TakenSession:
    """Return the session as it is stored, with its times, and with new ids for its messages.

    Args:
        session_id: None for a new one.

    Raises ``InvalidRequest`` (``invalid_session``) where the messages are no trees, or a time or a
    detail is none.
    """
    now = utc_text()
    # Nothing was said in the future: such a session would stay the newest for ever.
    times = {
        name: min(_time(told, name), now)
        for name in ("created_at", "updated_at")
        if (told := getattr(session, name)) is not None
    }
    if "created_at" in times and "updated_at" in times:
        times["updated_at"] = max(times.values())
    return TakenSession(
        session.title, _messages_of(session), session.pinned, **times, id=session_id
    )


def _messages_of(session: ImportedSession) -> list[Message]:
    by_old: dict[str, Message] = {}
    for place, one in enumerate(session.messages):
        where = f"messages.{place}"
        if one.id in by_old:
            raise not_importable(f"{where}.id", "an id stands twice")
        if one.parent_message_id is not None and one.parent_message_id not in by_old:
            raise not_importable(f"{where}.parent_message_id", "no message before it has this id")
        if len(_dumped(one.details)) > (limit := most_details(one.role)):
            raise not_importable(f"{where}.details", f"more than {limit} characters")
        parent = by_old[one.parent_message_id].id if one.parent_message_id else None
        times = {}
        if one.created_at is not None:
            times["created_at"] = _time(one.created_at, f"{where}.created_at")
        details = kept_details(one.details)
        by_old[one.id] = Message(one.role, one.content, parent, one.model, details, **times)
    return list(by_old.values())


def most_details(role: MessageRole) -> int:
    """Return how many characters of JSON may stand beside a message."""
    return MAX_QUESTION_DETAILS if role == "user" else MAX_DETAILS


def kept_details(details: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Return what stands beside a message, without the numbers that no reader of JSON takes."""
    return None if details is None else plain(details, "session.details", keys=False)


def _dumped(details: Mapping[str, Any] | None) -> str:
    return "" if details is None else json.dumps(details)


def _time(text: str, where: str) -> str:
    try:
        when = datetime.fromisoformat(text)
        return utc_text(when)
    except (ValueError, OverflowError) as error:
        raise not_importable(where, "no time in ISO 8601") from error


def not_importable(where: str, why: str) -> InvalidRequest:
    return InvalidRequest(
        f"{where}: {why}; this session cannot be imported.",
        code="invalid_session",
        param=where,
        fix="Take a file that an export made, unchanged.",
    )


def markdown(session: StoredSession, path: Sequence[Message]) -> str:
    """Return one branch as Markdown; the messages stay as they are."""
    title = re.sub(r"\s+", " ", session.title).strip() or session.id
    parts = [f"# {title}"]
    for message in path:
        who = {"user": "You", "system": "System"}.get(message.role, message.model or "Model")
        head = f"**{who}** · {message.created_at}"
        said = (head, message.content, _images(message), _ending(message))
        parts.append("\n\n".join(part for part in said if part))
    return "\n\n---\n\n".join(parts) + "\n"


def _images(message: Message) -> str | None:
    """Return the names of the images that a question came with."""
    names = [name for name, _ in images_of(message.details)]
    return f"*Images: {', '.join(names)}*" if names else None


def _ending(message: Message) -> str | None:
    """Return what says that an answer is not whole."""
    details = message.details or {}
    error = details.get("error")
    if isinstance(error, Mapping) and isinstance(error.get("message"), str):
        return f"*Error: {error['message']}*"
    return "*Stopped.*" if details.get("stopped") is True else None
