"""The conversations that `venom run` keeps: sessions of this user, as those of page and API are."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import click

from venom_core.cli.terminal import note
from venom_core.cli.wording import words
from venom_core.sdk.errors import Conflict, NotFound, VenomError
from venom_core.sdk.printable import whole_characters

if TYPE_CHECKING:
    from venom_core.cli.connection.answer import Answer
    from venom_core.cli.connection.loop import Session

_MOST = 200
#: So many sessions are looked at for the one that begins with some letters.
MAX_LISTED = 10_000


@dataclass(slots=True)
class Kept:
    """A session that questions and answers are added to.

    Args:
        id: None where nothing is to be kept.
        messages: what was said so far, from the first to the latest answer.
        system: the system message of a session that is only beginning.
    """

    id: str | None
    messages: Sequence[Mapping[str, Any]] = ()
    system: str | None = None
    last: str | None = field(default=None)

    @property
    def model(self) -> str | None:
        """Return the reference of the model that answered last: it goes on where none is named."""
        said = (one["model"] for one in reversed(self.messages) if one["role"] == "assistant")
        return next(said, None)

    @property
    def turns(self) -> list[dict[str, Any]]:
        from venom_core.chat.history import told
        from venom_core.store.sessions import Message

        return told(
            [Message(one["role"], one["content"], details=one["details"]) for one in self.messages]
        )

    def keep(self, session: Session, question: str, answer: Answer) -> None:
        """Store an exchange. A store that refuses costs nobody the answer: it is said and goes
        on."""
        if self.id is None:
            return
        try:
            exchange = _exchange(question, answer, self.last, self.system)
            self.last = session.run(session.connection.keep(self.id, exchange))
        except VenomError as error:
            note(f"This answer is not kept. {words(error.message)}")


def new_session(system: str | None) -> Kept:
    return Kept(str(uuid.uuid4()), system=system)


def going_on(session: Session, start: str | None) -> Kept:
    """Return the session whose ID begins with ``start``, or the one that was used last."""
    found = session.run(session.connection.sessions(_MOST))
    if start is not None:
        identifier = matching(found, start)
    elif found:
        identifier = max(found, key=lambda one: str(one["updated_at"]))["id"]
    else:
        raise NotFound(
            "There is no conversation to go on with.",
            code="session_not_found",
            fix="Begin one with: venom run",
        )
    messages = session.run(session.connection.session(identifier))
    return Kept(identifier, messages, last=messages[-1]["id"] if messages else None)


def chosen(session: Session, last: bool, start: str | None, save: bool, system: str | None) -> Kept:
    """Return the session that the options of `venom run` ask for."""
    if last and start is not None:
        message = "Go on with the last conversation or with a named one, not with both."
        raise click.UsageError(message, click.get_current_context())
    talk = going_on(session, start) if last or start is not None else new_session(system)
    if not save:
        talk.id = None
    return talk


def matching(sessions: Sequence[Mapping[str, Any]], start: str) -> str:
    """Return the ID that is ``start``, else the only one that begins so; one that is not listed is
    left to the store."""
    found = {str(one["id"]) for one in sessions if str(one["id"]).startswith(start)}
    if start in found or not found:
        return start
    if len(found) > 1:
        raise Conflict(
            f"{len(found)} sessions begin with {start!r}.",
            code="session_ambiguous",
            fix="Give more letters of the ID; venom sessions --json shows them whole.",
        )
    return found.pop()


def _exchange(
    question: str, answer: Answer, parent: str | None, system: str | None
) -> dict[str, Any]:

    details: dict[str, Any] = {"finish_reason": answer.finish_reason}
    if answer.reasoning:
        details["reasoning"] = whole_characters(answer.reasoning)
    if answer.usage is not None:
        details["usage"] = answer.record()["usage"]
    exchange = {
        "question": question,
        "answer": whole_characters(answer.content),
        "model": answer.reference or None,
        "parent": parent,
        "system": system,
        "details": details,
    }
    return {name: value for name, value in exchange.items() if value is not None}
