"""Conversations: list, search, read, change, export, import.

The audit trail has removals and imports, never a title or a word that was said; the feed, which
everybody may watch, has nothing of conversations.
"""

from __future__ import annotations

from collections.abc import Sequence

from venom_core.chat.answers import Answers, Guard, RunningAnswer
from venom_core.chat.asking import Asked
from venom_core.chat.service import ChatCall
from venom_core.chat.sessions import Conversation, Exchange, Sessions, path_to
from venom_core.chat.transcripts import ImportedSession, SessionExport, exported, imported, markdown
from venom_core.store.audit import Actor
from venom_core.store.sessions import Message, Owner, StoredSession
from venom_core.usecases.journal import Journal


class SessionUseCases:
    """Use cases of conversations; each question is within one owner's, a session of
    another owner is not found."""

    def __init__(
        self, sessions: Sessions, journal: Journal, answers: Answers | None = None
    ) -> None:
        self._sessions = sessions
        self._journal = journal
        self._answers = answers

    async def listing(
        self, owner: Owner, limit: int, offset: int = 0, query: str | None = None
    ) -> list[StoredSession]:
        """Return pinned ones first, then newest first; ``query`` is looked for in titles and
        messages."""
        return await self._sessions.list(owner, limit, offset, query)

    async def create(self, owner: Owner, title: str, session_id: str | None) -> StoredSession:
        """Make an empty session. Raises ``Conflict`` for an id that is there."""
        return await self._sessions.create(owner, title, session_id)

    async def get(self, owner: Owner, session_id: str) -> tuple[StoredSession, Sequence[Message]]:
        """Return a session with all its messages, each after the one that it follows. Raises
        ``NotFound``."""
        return await self._sessions.read(owner, session_id)

    async def conversation(
        self, owner: Owner, session_id: str, parent: str | None = None
    ) -> Conversation:
        """Return a session as a question finds it that follows ``parent``; empty where there is
        none yet. Raises as ``Sessions.conversation``."""
        return await self._sessions.conversation(owner, session_id, parent)

    async def asked_again(self, owner: Owner, session_id: str, question_id: str) -> Asked:
        """Return a question that is kept, to be answered once more. Raises as
        ``Sessions.asked_before``."""
        return Asked(*await self._sessions.asked_before(owner, session_id, question_id))

    async def gone_on_with(self, owner: Owner, session_id: str, answer_id: str) -> Asked:
        """Return the question of an answer that is kept, to be answered from that answer's words
        on. Raises as ``Sessions.answered_before``."""
        found = await self._sessions.answered_before(owner, session_id, answer_id)
        talk, question, answer = found
        return Asked(talk, question, begun=answer)

    async def ask(self, asked: Asked, call: ChatCall, allowed: Guard) -> RunningAnswer:
        """Keep a question and begin its answer, which goes on whether somebody listens or not.
        Raises as ``Answers.begin``."""
        assert self._answers is not None  # only a server answers on
        return await self._answers.begin(asked, call, allowed)

    def answering(self, owner: Owner, session_id: str) -> list[RunningAnswer]:
        """Return the answers that are being written in a session, the oldest first."""
        return [] if self._answers is None else self._answers.of(owner, session_id)

    def answer(self, owner: Owner, session_id: str, answer_id: str) -> RunningAnswer:
        """Return an answer that is being written. Raises ``NotFound`` (``answer_not_found``)."""
        assert self._answers is not None
        return self._answers.find(owner, session_id, answer_id)

    async def stop(self, owner: Owner, session_id: str, answer_id: str) -> None:
        """Stop an answer; what was said is kept by the time that this returns. Raises
        ``NotFound``."""
        assert self._answers is not None
        await self._answers.stop(owner, session_id, answer_id)

    async def keep(
        self, owner: Owner, session_id: str, exchange: Exchange
    ) -> tuple[StoredSession, Sequence[Message]]:
        """Store a question and its answer that were asked elsewhere; one that is not there is made,
        unless a parent is named. Returns what was added too. Raises as ``Sessions.conversation``
        and ``Sessions.keep``."""
        talk = await self._sessions.conversation(owner, session_id, exchange.parent)
        added = exchange.following(talk.path)
        return await self._sessions.keep(talk, *added), added

    async def change(
        self, owner: Owner, session_id: str, title: str | None, pinned: bool | None
    ) -> StoredSession:
        """Rename, pin, unpin; None leaves as it is. Raises ``NotFound``."""
        return await self._sessions.change(owner, session_id, title, pinned)

    async def delete(self, owner: Owner, session_id: str, actor: Actor) -> StoredSession:
        """Delete a session with its messages, for good. Raises ``NotFound``."""
        if self._answers is not None:
            await self._answers.drop(owner, session_id)
        gone = await self._sessions.delete(owner, session_id)
        await self._journal.record_audit(
            actor, "conversation.remove", gone.id, {"messages": gone.messages}, None
        )
        return gone

    async def take_in(
        self, owner: Owner, session: ImportedSession, actor: Actor, session_id: str | None = None
    ) -> StoredSession:
        """Store an export; nothing is overwritten. Its messages get new ids, and so does the
        session unless one is given. Raises ``InvalidRequest`` (``invalid_session``), ``Conflict``
        (``session_exists``)."""
        made = await self._sessions.take_in(owner, imported(session, session_id))
        await self._journal.record_audit(
            actor, "conversation.import", made.id, None, {"messages": made.messages}
        )
        return made

    async def export_json(self, owner: Owner, session_id: str) -> SessionExport:
        """Return every branch of a session, as :meth:`take_in` takes it. Raises ``NotFound``."""
        return exported(*await self._sessions.read(owner, session_id))

    async def export_markdown(self, owner: Owner, session_id: str, leaf: str | None = None) -> str:
        """Return the branch that ends with the message ``leaf``, else the latest, for people.
        Raises ``NotFound``."""
        session, messages = await self._sessions.read(owner, session_id)
        return markdown(session, path_to(messages, leaf))
