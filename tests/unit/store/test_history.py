"""The history of services: kept over a restart, newest first, so many and no more."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from venom_core.sdk.masking import forget_secret, keep_secret
from venom_core.store import history
from venom_core.store.access import Store
from venom_core.store.history import ServiceEvent


def event(number: int, message: str = "ok") -> ServiceEvent:
    return ServiceEvent(f"2026-11-28T10:00:{number:02}.000Z", "acme", "start", True, message)


def test_entries_are_there_for_the_next_process_newest_first(tmp_path: Path) -> None:
    file = tmp_path / "venom.db"
    first = Store(file)
    first.history().add([event(1), event(2)])
    first.history().add([ServiceEvent("2026-11-28T10:00:03.000Z", "acme", "stop", False, "no")])
    first.close()
    kept = Store(file).history().read(50)
    assert [one.action for one in kept] == ["stop", "start", "start"]
    assert kept[0].record() == {
        "timestamp": "2026-11-28T10:00:03.000Z", "service": "acme", "action": "stop",
        "success": False, "message": "no",
    }  # fmt: skip
    assert [one.at for one in Store(file).history().read(1)] == [kept[0].at]


def test_the_oldest_go_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "KEPT", 3)
    repository = Store(tmp_path / "venom.db").history()
    repository.add([event(number) for number in range(5)])
    repository.add([event(5)])
    assert [one.at[17:19] for one in repository.read(50)] == ["05", "04", "03"]


def test_no_entry_grows_or_holds_a_secret(tmp_path: Path) -> None:
    keep_secret("sk-a-secret-of-somebody")
    try:
        repository = Store(tmp_path / "venom.db").history()
        repository.add([event(1, "key sk-a-secret-of-somebody is wrong"), event(2, "x" * 5000)])
    finally:
        forget_secret("sk-a-secret-of-somebody")
    long, masked = repository.read(2)
    assert len(long.message) == history.LONGEST_MESSAGE
    assert "sk-a-secret" not in masked.message


def test_a_server_s_last_model_is_known_after_a_migration(tmp_path: Path) -> None:
    """A store of the revision before knows which model is active, and it is the last one."""
    file = tmp_path / "venom.db"
    Store(file).engine.dispose()
    connection = sqlite3.connect(file)
    connection.executescript(
        "DROP TABLE last_models; DROP TABLE service_history; DROP TABLE benchmarks;"
        "DROP TABLE responses;"
        "ALTER TABLE api_keys DROP COLUMN expires_at;"
        "ALTER TABLE api_keys DROP COLUMN last_used_at;"
        "UPDATE alembic_version SET version_num = '0004';"
        "INSERT INTO active_models VALUES ('chat', 'acme', 'm', '2026-11-01T10:00:00.000Z');"
        "INSERT INTO active_models VALUES ('embedding', 'other', 'e', '2026-11-01T10:00:00.000Z');"
    )
    connection.commit()
    connection.close()
    assert Store(file).in_use().read().last == {"acme": "m"}
