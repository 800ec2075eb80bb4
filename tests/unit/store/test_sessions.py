"""Conversations in the store: what two at once, or a stranger, must not be able to do."""

from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from venom_core.sdk.errors import Conflict, InvalidRequest, NotFound
from venom_core.store import sessions
from venom_core.store.database import open_database
from venom_core.store.sessions import Message, Owner, SessionRepository

A, B = Owner("aaaa"), Owner("bbbb")


@pytest.fixture
def store(tmp_path: Path) -> SessionRepository:
    return SessionRepository(open_database(tmp_path / "venom.db"))


def talk(parent: str | None = None) -> list[Message]:
    question = Message("user", "x", parent)
    return [question, Message("assistant", "y", question.id, "p://m", {"finish_reason": "stop"})]


def test_a_parent_of_another_session_is_none(store: SessionRepository) -> None:
    first, second = talk(), talk()
    store.add(A, "s", "S", first)
    store.add(A, "t", "T", second)
    store.add(B, "s", "S", talk())
    for owner, session in ((A, "t"), (B, "s")):
        with pytest.raises(NotFound, match="no message"):
            store.add(owner, session, "", talk(first[1].id))
        assert store.get(owner, session).messages == 2


def test_the_bound_holds_whoever_looked_before(
    store: SessionRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "MAX_MESSAGES", 3)
    store.add(A, "s", "S", talk())
    with pytest.raises(InvalidRequest, match="at most 3"):
        store.add(A, "s", "S", talk())
    assert store.get(A, "s").messages == 2


def test_many_at_once_lose_nothing(store: SessionRepository) -> None:
    exchanges = [talk() for _ in range(24)]
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda one: store.add(A, "s", "S", one), exchanges))
    _, found = store.read(A, "s")
    assert len(found) == 48
    ids = [message.id for message in found]
    for question, answer in exchanges:
        assert ids.index(answer.id) == ids.index(question.id) + 1


def test_what_is_read_is_what_was_written(store: SessionRepository) -> None:
    written = talk()
    store.add(A, "s", "S", written)
    session, found = store.read(A, "s")
    assert list(found) == written
    assert (session.title, session.key_id, session.messages) == ("S", "aaaa", 2)


def test_deleting_takes_the_messages_and_nothing_else(
    store: SessionRepository, tmp_path: Path
) -> None:
    for owner in (A, B):
        store.add(owner, "s", "S", talk())
    store.delete(A, "s")
    connection = sqlite3.connect(tmp_path / "venom.db")
    assert connection.execute("SELECT count(*) FROM messages").fetchone() == (2,)
    connection.close()
    assert store.get(B, "s").messages == 2


def test_everybody_is_for_reading_where_the_id_says_whose(store: SessionRepository) -> None:
    store.create(A, "s", "")
    store.create(B, "s", "")
    store.create(B, "t", "")
    assert len(store.list(Owner(None), 10)) == 3
    assert store.get(Owner(None), "t").key_id == "bbbb"
    with pytest.raises(Conflict, match="Several keys"):
        store.delete(Owner(None), "s")
    with pytest.raises(Conflict, match="already"):
        store.create(A, "s", "")
