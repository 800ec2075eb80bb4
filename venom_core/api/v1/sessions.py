"""Conversations: list, search, read, change, export, import. A session of another key is none."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

from fastapi import Path, Query, Request
from pydantic import Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError
from starlette.responses import JSONResponse, PlainTextResponse, Response
from typing_extensions import TypedDict

from venom_core.api.callers import actor_of, caller_of
from venom_core.api.health import venom_of
from venom_core.api.json_pieces import long_json
from venom_core.api.language import in_language, language_of, localized
from venom_core.api.openapi.declared import answers
from venom_core.api.routing import keyed_router
from venom_core.api.v1.models.shapes import Limit
from venom_core.chat.answers import AnswerUnderWay
from venom_core.chat.sessions import Exchange
from venom_core.chat.transcripts import (
    MAX_CONTENT,
    ImportedSession,
    SessionExport,
    Title,
    kept_details,
    most_details,
)
from venom_core.chat.validation import Body
from venom_core.models.references import MAX_LENGTH
from venom_core.store.audit import LOCAL_USER
from venom_core.store.sessions import MessageRecord, Owner, SessionRecord, StoredSession
from venom_core.usecases.models import Done

router = keyed_router("/sessions")


class SessionList(TypedDict):
    success: bool
    sessions: list[SessionRecord]
    count: int


class OneSession(TypedDict):
    success: bool
    session: SessionRecord


class WholeSession(OneSession):
    """Each message comes after the one that it follows. ``answering`` are those that are being
    written now: their messages have what was said a moment ago, and the detail ``unfinished``."""

    messages: list[MessageRecord]
    answering: list[AnswerUnderWay]


SESSION_ID = r"^[A-Za-z0-9_-]{1,64}$"
SessionId = Annotated[str, Path(pattern=SESSION_ID)]
MAX_OFFSET = 1_000_000


class NewSession(Body):
    """``id`` is the client's own choice; without one it gets one."""

    id: str | None = Field(default=None, pattern=SESSION_ID)
    title: Title = ""


class SessionChange(Body):
    """A change of a session; fields that are left out stay."""

    title: str | None = Field(default=None, min_length=1, max_length=200)
    pinned: bool | None = None


class SessionImport(ImportedSession):
    """A whole export; ``id`` is the client's own choice, so that a second try is refused instead of
    stored twice. Without one it gets one."""

    id: str | None = Field(default=None, pattern=SESSION_ID)


class SpokenExchange(Body):
    """A question and its answer, asked elsewhere; of one that is not whole ``details`` says so:
    ``stopped`` or ``error``. ``parent_message_id`` is the message that
    the question follows, ``root`` for none, and without it the latest. ``question_details`` is
    beside the question: the images that it came with."""

    question: str = Field(min_length=1, max_length=MAX_CONTENT)
    answer: str = Field(max_length=MAX_CONTENT)
    model: str | None = Field(default=None, min_length=1, max_length=MAX_LENGTH)
    parent_message_id: str | None = Field(default=None, min_length=1, max_length=64)
    system: str | None = Field(default=None, max_length=MAX_CONTENT)
    details: dict[str, Any] | None = None
    question_details: dict[str, Any] | None = None

    @field_validator("details", "question_details")
    @classmethod
    def _bounded(
        cls, details: dict[str, Any] | None, field: ValidationInfo
    ) -> dict[str, Any] | None:
        limit = most_details("assistant" if field.field_name == "details" else "user")
        if details is not None and len(json.dumps(details)) > limit:
            raise PydanticCustomError("too_long", f"more than {limit} characters")
        return kept_details(details)


class KeptMessages(OneSession):
    """``message_id`` is the answer's."""

    question_id: str
    message_id: str


def owner_of(request: Request) -> Owner:
    """Return the owner of the sessions that the caller may see: those of its key. What the user's
    own commands make belongs to no key."""
    key_id = caller_of(request).key_id
    return Owner("" if key_id in (None, LOCAL_USER) else key_id)


@router.get("")
@answers(SessionList)
async def list_sessions(
    request: Request,
    limit: Limit = 50,
    offset: Annotated[int, Query(ge=0, le=MAX_OFFSET)] = 0,
    query: Annotated[str | None, Query(min_length=1, max_length=200)] = None,
) -> Response:
    """Return sessions, pinned ones first, then newest first; ``query`` is looked for in titles and
    messages."""
    sessions = venom_of(request).sessions
    found = await sessions.listing(owner_of(request), limit, offset, query)
    shown = [session.record() for session in found]
    body: SessionList = {"success": True, "sessions": shown, "count": len(shown)}
    return JSONResponse(body)


@router.post("")
@answers(OneSession)
async def create_session(request: Request, body: NewSession) -> Response:
    """Make an empty session; the first question makes one too."""
    sessions = venom_of(request).sessions
    return _one(await sessions.create(owner_of(request), body.title, body.id))


@router.post("/import")
@answers(OneSession)
async def import_session(request: Request, body: SessionImport) -> Response:
    """Take an export in, under new ids."""
    sessions = venom_of(request).sessions
    return _one(await sessions.take_in(owner_of(request), body, actor_of(request), body.id))


@router.get("/{session_id}")
@answers(WholeSession)
async def get_session(request: Request, session_id: SessionId) -> Response:
    """Return a session with all its messages, each after the one that it follows."""
    sessions, owner = venom_of(request).sessions, owner_of(request)
    session, messages = await sessions.get(owner, session_id)
    body: WholeSession = {
        "success": True,
        "session": session.record(),
        "answering": [one.record() for one in sessions.answering(owner, session_id)],
        "messages": [_worded(request, message.record()) for message in messages],
    }
    return await long_json({**body, "messages": ...}, body["messages"])


@router.post("/{session_id}/change")
@answers(OneSession)
async def change_session(request: Request, session_id: SessionId, body: SessionChange) -> Response:
    """Rename, pin or unpin a session."""
    sessions = venom_of(request).sessions
    return _one(await sessions.change(owner_of(request), session_id, body.title, body.pinned))


@router.post("/{session_id}/messages")
@answers(KeptMessages)
async def keep_messages(request: Request, session_id: SessionId, body: SpokenExchange) -> Response:
    """Keep a question and its answer that were asked elsewhere; a session that is not there is
    made."""
    exchange = Exchange(
        body.question,
        body.answer,
        body.model,
        body.parent_message_id,
        body.system,
        body.details,
        body.question_details,
    )
    session, added = await venom_of(request).sessions.keep(owner_of(request), session_id, exchange)
    kept: KeptMessages = {
        "success": True,
        "session": session.record(),
        "question_id": added[-2].id,
        "message_id": added[-1].id,
    }
    return JSONResponse(kept)


@router.delete("/{session_id}")
@answers(Done)
async def delete_session(request: Request, session_id: SessionId) -> Response:
    """Delete a session with its messages, for good."""
    await venom_of(request).sessions.delete(owner_of(request), session_id, actor_of(request))
    done: Done = {"success": True, "message": f"{session_id} was removed."}
    return localized(request, done)


@router.get("/{session_id}/export")
@answers(SessionExport, text="text/markdown")
async def export_session(
    request: Request,
    session_id: SessionId,
    wanted: Annotated[Literal["json", "markdown"], Query(alias="format")] = "json",
    leaf: Annotated[str | None, Query(min_length=1, max_length=64)] = None,
) -> Response:
    """Export a session: JSON has every branch; Markdown has the one that ends with ``leaf``, else
    the latest."""
    sessions, owner = venom_of(request).sessions, owner_of(request)
    ending = "md" if wanted == "markdown" else "json"
    headers = {"Content-Disposition": f'attachment; filename="venom-{session_id}.{ending}"'}
    if wanted == "json":
        whole = await sessions.export_json(owner, session_id)
        return await long_json({**whole, "messages": ...}, whole["messages"], headers)
    text = await sessions.export_markdown(owner, session_id, leaf)
    return PlainTextResponse(text, headers=headers, media_type="text/markdown; charset=utf-8")


def _worded(request: Request, message: MessageRecord) -> MessageRecord:
    """Return a message whose refusal, where it has one of Venom's, is in the client's language."""
    details = message["details"] or {}
    lang, error = language_of(request.scope), details.get("error")
    if lang == "en" or not isinstance(error, dict):
        return message
    return {**message, "details": {**details, "error": {**in_language(error, lang), "lang": lang}}}


def _one(session: StoredSession) -> Response:
    body: OneSession = {"success": True, "session": session.record()}
    return JSONResponse(body)
