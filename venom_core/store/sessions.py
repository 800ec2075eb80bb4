"""Conversations in the store: sessions, and their messages as trees.

A session belongs to the key that made it; to every other key it does not exist. A message names the
one that it follows, so asking again from an earlier message makes a branch and loses nothing.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from typing_extensions import TypedDict

from venom_core.sdk.errors import Conflict, InvalidRequest, NotFound
from venom_core.sdk.utc import utc_text
from venom_core.store.columns import an_object
from venom_core.store.transactions import store_errors, writing

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection, Engine, RowMapping

MessageRole = Literal["system", "user", "assistant"]

#: Messages of one session; beyond it a new one is due.
MAX_MESSAGES = 5000
#: Conversations of one owner: limits of a day count what a model does, and these fill the disk.
MAX_OWNER_BYTES = 64_000_000
# A row takes room even where it says nothing.
_ROW_BYTES = 300


@dataclass(frozen=True, slots=True)
class Owner:
    """The owner whose sessions are meant: a key's id, "" for those made without a key, None for
    everybody's, which only the commands of the machine's user may see."""

    key_id: str | None = ""


class SessionRecord(TypedDict):
    """A session as its owner sees it; ``messages`` is their number."""

    id: str
    title: str
    pinned: bool
    created_at: str
    updated_at: str
    messages: int


class MessageRecord(TypedDict):
    """A message as the API and an export show it: ``model`` said it, ``details`` is what there is
    beside the content."""

    id: str
    parent_message_id: str | None
    role: MessageRole
    content: str
    model: str | None
    details: dict[str, Any] | None
    created_at: str


@dataclass(frozen=True, slots=True)
class StoredSession:
    """A session without its messages. Times are ISO 8601 in UTC; ``messages`` is their number."""

    id: str
    key_id: str
    title: str
    pinned: bool
    created_at: str
    updated_at: str
    messages: int

    def record(self) -> SessionRecord:
        """Return it as the API shows it to its owner, who knows the key."""
        return {
            "id": self.id,
            "title": self.title,
            "pinned": self.pinned,
            "created_at": self.created_at,
            "updated_at": self.updated_at,
            "messages": self.messages,
        }


@dataclass(frozen=True, slots=True)
class Message:
    """One message. ``model`` is the reference of the one that said it; ``details`` are JSON values
    beside the content: reasoning, tool calls, why it ended, token counts."""

    role: MessageRole
    content: str
    parent_message_id: str | None = None
    model: str | None = None
    details: Mapping[str, Any] | None = None
    created_at: str = field(default_factory=utc_text)
    id: str = field(default_factory=lambda: str(uuid.uuid4()))

    def record(self) -> MessageRecord:
        """Return it as the API and an export show it."""
        return {
            "id": self.id,
            "parent_message_id": self.parent_message_id,
            "role": self.role,
            "content": self.content,
            "model": self.model,
            "details": None if self.details is None else dict(self.details),
            "created_at": self.created_at,
        }


class SessionRepository:
    """Its methods block for a disk access: call them in a thread. All but ``list`` raise
    ``NotFound`` (``session_not_found``) for a session that is not the owner's."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def list(
        self, owner: Owner, limit: int, offset: int = 0, query: str | None = None
    ) -> list[StoredSession]:
        """List sessions, pinned ones first, then by the last change, newest first.

        Args:
            query: a text that the title or a message contains. ASCII letters match in either case.
        """
        from sqlalchemy import exists, or_, select

        from venom_core.store.tables import messages as m
        from venom_core.store.tables import sessions as t

        shown = _shown().order_by(t.c.pinned.desc(), t.c.updated_at.desc(), t.c.number.desc())
        shown = shown.where(_of(owner)).limit(limit).offset(offset)
        if query:
            like = f"%{escape_like(query)}%"
            said = select(m.c.id).where(m.c.session == t.c.number, m.c.content.like(like, "\\"))
            shown = shown.where(or_(t.c.title.like(like, "\\"), exists(said)))
        with self._engine.connect() as connection:
            return [StoredSession(**row) for row in connection.execute(shown).mappings()]

    def get(self, owner: Owner, session_id: str) -> StoredSession:
        with self._engine.connect() as connection:
            return _find(connection, owner, session_id)[1]

    def read(self, owner: Owner, session_id: str) -> tuple[StoredSession, Sequence[Message]]:
        """Return a session and its messages, each after the one that it follows."""
        from sqlalchemy import select

        from venom_core.store.tables import messages as m

        with self._engine.begin() as connection:
            number, session = _find(connection, owner, session_id)
            query = select(m).where(m.c.session == number).order_by(m.c.position)
            rows = connection.execute(query).mappings().all()
        return session, [_message(row) for row in rows]

    def check_room(self, owner: Owner) -> None:
        """Raise ``InvalidRequest`` (``sessions_full``) where the owner may keep nothing more."""
        with self._engine.connect() as connection:
            _check_owner_room(connection, owner, ())

    def create(
        self,
        owner: Owner,
        session_id: str,
        title: str,
        messages: Sequence[Message] = (),
        *,
        pinned: bool = False,
        times: tuple[str | None, str | None] = (None, None),
    ) -> StoredSession:
        """Make a session with all its messages. ``times`` are those of its making and of its last
        change, None for now. Raises ``Conflict`` (``session_exists``) where the
        owner has one of this id."""
        with store_errors(), writing(self._engine) as connection:
            _check_owner_room(connection, owner, messages)
            number = _insert(connection, owner, session_id, title, pinned=pinned, times=times)
            _append(connection, number, messages)
            return _find(connection, owner, session_id)[1]

    def add(
        self, owner: Owner, session_id: str, title: str, messages: Sequence[Message]
    ) -> StoredSession:
        """Add messages at the end of a session, all or none; the first one's parent must be there.

        A session that is not there is made, unless a parent is named: then it was deleted
        meanwhile. ``title`` is for one that has none yet.
        """
        from sqlalchemy import select

        from venom_core.store.tables import messages as m
        from venom_core.store.tables import sessions as t

        parent = messages[0].parent_message_id
        with store_errors(), writing(self._engine) as connection:
            _check_owner_room(connection, owner, messages)
            try:
                number, found = _find(connection, owner, session_id)
                title = found.title or title
            except NotFound:
                if parent is not None:
                    raise
                number = _insert(connection, owner, session_id, title)
            if parent is not None:
                there = select(m.c.id).where(m.c.session == number, m.c.id == parent)
                if connection.execute(there).first() is None:
                    raise message_not_found(parent)
            _append(connection, number, messages)
            values = {"title": title, "updated_at": utc_text()}
            connection.execute(t.update().where(t.c.number == number).values(**values))
            return _find(connection, owner, session_id)[1]

    def rewrite(self, owner: Owner, session_id: str, message: Message) -> None:
        """Put a message in the place of the one with its id. Raises ``NotFound`` where there is
        none."""
        from sqlalchemy import null

        from venom_core.store.tables import messages as m
        from venom_core.store.tables import sessions as t

        details = null() if message.details is None else dict(message.details)
        values = {"content": message.content, "model": message.model, "details": details}
        with store_errors(), writing(self._engine) as connection:
            number, _ = _find(connection, owner, session_id)
            at = (m.c.session == number, m.c.id == message.id)
            if connection.execute(m.update().where(*at).values(**values)).rowcount == 0:
                raise message_not_found(message.id)
            now = {"updated_at": utc_text()}
            connection.execute(t.update().where(t.c.number == number).values(**now))

    def change(
        self, owner: Owner, session_id: str, title: str | None = None, pinned: bool | None = None
    ) -> StoredSession:
        """Rename, pin, unpin; None leaves what is there. It counts as no change of the talk."""
        from venom_core.store.tables import sessions as t

        values: dict[str, Any] = {} if title is None else {"title": title}
        values |= {} if pinned is None else {"pinned": pinned}
        with store_errors(), writing(self._engine) as connection:
            number, session = _find(connection, owner, session_id)
            if not values:
                return session
            connection.execute(t.update().where(t.c.number == number).values(**values))
            return _find(connection, owner, session_id)[1]

    def delete(self, owner: Owner, session_id: str) -> StoredSession:
        """Delete a session and return it; its messages go with it."""
        from venom_core.store.tables import sessions as t

        with store_errors(), writing(self._engine) as connection:
            number, session = _find(connection, owner, session_id)
            connection.execute(t.delete().where(t.c.number == number))
        return session


def _message(row: RowMapping) -> Message:
    columns = {name: row[name] for name in row if name not in ("session", "position")}
    return Message(**{**columns, "details": an_object(row["details"])})


def escape_like(text: str) -> str:
    """Return a text for LIKE whose wildcards stand for themselves; the escape is a backslash."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def session_not_found(session_id: str) -> NotFound:
    return NotFound(
        f"There is no conversation {session_id!r}.",
        code="session_not_found",
        param="session_id",
        fix="It may be deleted, or belong to another key. Yours are listed by: venom sessions",
    )


def message_not_found(message_id: str, param: str = "parent_message_id") -> NotFound:
    return NotFound(
        f"There is no message {message_id!r} in this session.",
        code="message_not_found",
        param=param,
        fix="GET /api/v1/sessions/ID lists its messages.",
    )


def check_room(count: int) -> None:
    """Raise ``InvalidRequest`` (``session_full``) for more messages than a session may have."""
    if count > MAX_MESSAGES:
        raise InvalidRequest(
            f"A session has at most {MAX_MESSAGES} messages.",
            code="session_full",
            param="session_id",
            fix="Go on in a new session.",
        )


def _check_owner_room(connection: Connection, owner: Owner, added: Sequence[Message]) -> None:
    """Raise ``InvalidRequest`` (``sessions_full``) where the owner's conversations, with these
    messages, would take more than one owner's may."""
    from sqlalchemy import LargeBinary, cast, func, select

    from venom_core.store.tables import messages as m
    from venom_core.store.tables import sessions as t

    key_id = owner.key_id or ""
    told = func.coalesce(func.length(cast(m.c.details, LargeBinary)), 0)
    size = func.length(cast(m.c.content, LargeBinary)) + told + _ROW_BYTES
    said = select(func.coalesce(func.sum(size), 0)).join(t, t.c.number == m.c.session)
    kept = connection.execute(said.where(t.c.key_id == key_id)).scalar_one()
    count = select(func.count()).where(t.c.key_id == key_id)
    kept += _ROW_BYTES * connection.execute(count).scalar_one()
    kept += sum(len(one.content.encode("utf-8", "replace")) + _ROW_BYTES for one in added)
    if kept + _ROW_BYTES > MAX_OWNER_BYTES:
        raise InvalidRequest(
            f"The conversations of this key take all of their {MAX_OWNER_BYTES // 10**6} MB.",
            code="sessions_full",
            param="session_id",
            fix="Export and delete some: GET and DELETE /api/v1/sessions/ID, or venom sessions",
        )


def _of(owner: Owner) -> ColumnElement[bool]:
    from sqlalchemy import true

    from venom_core.store.tables import sessions as t

    return true() if owner.key_id is None else t.c.key_id == owner.key_id


def _shown(*more: Any) -> Any:
    from sqlalchemy import func, select

    from venom_core.store.tables import messages as m
    from venom_core.store.tables import sessions as t

    count = select(func.count()).where(m.c.session == t.c.number).scalar_subquery()
    columns = (t.c.id, t.c.key_id, t.c.title, t.c.pinned, t.c.created_at, t.c.updated_at)
    return select(*columns, count.label("messages"), *more)


def _find(connection: Connection, owner: Owner, session_id: str) -> tuple[int, StoredSession]:
    """Return the session and the number of its row."""
    from venom_core.store.tables import sessions as t

    query = _shown(t.c.number).where(_of(owner), t.c.id == session_id)
    rows = connection.execute(query).mappings().all()
    if not rows:
        raise session_not_found(session_id)
    if len(rows) > 1:
        raise Conflict(
            f"Several keys have a session {session_id!r}.",
            code="session_ambiguous",
            fix="Name the key: --key ID, as venom sessions shows it.",
        )
    row = dict(rows[0])
    return row.pop("number"), StoredSession(**row)


def _insert(
    connection: Connection,
    owner: Owner,
    session_id: str,
    title: str,
    *,
    pinned: bool = False,
    times: tuple[str | None, str | None] = (None, None),
) -> int:
    from sqlalchemy import select

    from venom_core.store.tables import sessions as t

    key_id = owner.key_id or ""
    there = select(t.c.number).where(t.c.key_id == key_id, t.c.id == session_id)
    if connection.execute(there).first() is not None:
        raise Conflict(
            f"There is a session {session_id!r} already.",
            code="session_exists",
            param="id",
            fix="Leave the id out for a new one.",
        )
    now = utc_text()
    created, updated = times
    row = {"id": session_id, "key_id": key_id, "title": title, "pinned": pinned}
    dated = {"created_at": created or updated or now, "updated_at": updated or now}
    made = connection.execute(t.insert().values(**row, **dated))
    return int(made.lastrowid)


def _append(connection: Connection, number: int, messages: Sequence[Message]) -> None:
    from sqlalchemy import func, null, select

    from venom_core.store.tables import messages as m

    if not messages:
        return
    query = select(func.count(), func.max(m.c.position)).where(m.c.session == number)
    count, last = connection.execute(query).one()
    check_room(count + len(messages))
    first = 0 if last is None else last + 1
    rows = [
        {
            **asdict(message),
            "details": null() if message.details is None else dict(message.details),
            "session": number,
            "position": first + place,
        }
        for place, message in enumerate(messages)
    ]
    for row in rows:  # null() is an expression, which a list of rows could not hold
        connection.execute(m.insert().values(**row))
