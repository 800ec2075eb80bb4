"""Models in use: every change is whole, with its entry in the audit trail, whatever happens."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from venom_core.sdk.errors import StorageError
from venom_core.store import in_use
from venom_core.store.audit import Actor, read_audit
from venom_core.store.database import open_database
from venom_core.store.in_use import InUseRepository

WHO = Actor("0a1b2c3d", "req-1")
DIES = """
import os, sys
from pathlib import Path
from sqlalchemy import event
from venom_core.store.audit import Actor
from venom_core.store.database import open_database
from venom_core.store.in_use import InUseRepository

engine, left = open_database(Path(sys.argv[1])), [int(sys.argv[2])]

def count(*_):
    left[0] -= 1
    if left[0] == 0:
        os._exit(9)

event.listen(engine, "after_cursor_execute", count)
event.listen(engine, "commit", count)
InUseRepository(engine).set_active("chat", ("new", "model"), Actor(None, "req-2"))
print("done")
"""


@pytest.fixture
def repository(tmp_path: Path) -> InUseRepository:
    return InUseRepository(open_database(tmp_path / "venom.db"))


def test_what_is_stored_is_read(repository: InUseRepository) -> None:
    repository.set_active("chat", ("a", "x"), WHO)
    repository.set_active("chat", ("b", "y"), WHO)
    repository.set_active("embedding", ("a", "e"), WHO)
    repository.set_override(("a", "x"), {"temperature": 0.2, "stop": ["\n"]}, WHO)
    repository.set_alias("fast", "a://x", WHO)
    stored = repository.read()
    assert stored.active == {"chat": ("b", "y"), "embedding": ("a", "e")}
    assert stored.overrides == {("a", "x"): {"temperature": 0.2, "stop": ["\n"]}}
    assert stored.aliases == {"fast": "a://x"}
    assert stored.last == {"a": "x", "b": "y"}, "of chat models, by their provider"
    repository.set_active("embedding", None, WHO)
    repository.set_override(("a", "x"), None, WHO)
    repository.set_alias("fast", None, WHO)
    repository.set_active("chat", None, WHO)
    assert repository.read() == in_use.InUse(last={"a": "x", "b": "y"})


def test_the_trail_says_who_and_from_what_to_what(tmp_path: Path) -> None:
    engine = open_database(tmp_path / "venom.db")
    repository = InUseRepository(engine)
    repository.set_active("chat", ("a", "x"), WHO)
    repository.set_active("chat", ("b", "y"), Actor(None, "req-2"))
    second, first = read_audit(engine)
    assert (first.action, first.subject, first.key_id, first.request_id) == (
        "model.activate", "chat", "0a1b2c3d", "req-1"
    )  # fmt: skip
    assert first.before is None
    assert second.before is not None
    assert second.after is not None
    assert (second.before["ref"], second.after["ref"]) == ("x", "y")
    assert second.at.endswith("Z")
    assert json.dumps(second.record())
    assert len(read_audit(engine, 1)) == 1


def test_without_its_entry_nothing_is_changed(
    repository: InUseRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository.set_active("chat", ("a", "x"), WHO)

    def full(*_: object) -> None:
        raise StorageError("The disk is full.")

    monkeypatch.setattr(in_use, "write_audit", full)
    with pytest.raises(StorageError):
        repository.set_active("chat", ("b", "y"), WHO)
    assert repository.read().active == {"chat": ("a", "x")}


def test_a_store_that_is_locked_is_said_and_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("venom_core.store.database.BUSY_SECONDS", 0.1)
    path = tmp_path / "venom.db"
    repository = InUseRepository(open_database(path))
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StorageError) as raised:
            repository.set_alias("a", "b", WHO)
    assert raised.value.code == "store_locked"
    assert repository.read().aliases == {}


def test_a_crash_at_any_write_leaves_old_or_new(tmp_path: Path) -> None:
    path = tmp_path / "venom.db"
    engine = open_database(path)
    InUseRepository(engine).set_active("chat", ("old", "model"), WHO)
    seen = []
    for number in range(1, 20):
        run = subprocess.run(
            [sys.executable, "-c", DIES, str(path), str(number)],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        active = InUseRepository(engine).read().active["chat"]
        trail = [entry.after["provider"] for entry in read_audit(engine) if entry.after]
        seen.append((run.returncode, active[0], trail))
        if run.returncode == 0:
            break
        assert run.returncode == 9, run.stderr
    *died, lived = seen
    assert len(died) >= 5, "no write was interrupted; did the events move?"
    for _, provider, trail in died:
        assert (provider, trail) == ("old", ["old"])
    assert lived == (0, "new", ["new", "old"])
