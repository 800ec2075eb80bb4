from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from sqlalchemy import select

from venom_core.sdk.errors import InvalidRequest, NotFound, StorageError
from venom_core.store.audit import Actor, read_audit
from venom_core.store.database import open_database
from venom_core.store.keys import KEY_PATTERN, KeyRepository, KeyRights
from venom_core.store.tables import api_keys


@pytest.fixture
def keys(tmp_path: Path) -> KeyRepository:
    return KeyRepository(open_database(tmp_path / "venom.db"))


def test_a_key_is_shown_once_and_kept_as_a_hash(keys: KeyRepository) -> None:
    key, record = keys.create("laptop")
    assert KEY_PATTERN.fullmatch(key)
    with keys._engine.connect() as connection:
        row = connection.execute(select(api_keys)).one()
    assert row.sha256 == hashlib.sha256(key.encode()).digest()
    assert key.split("-", 2)[2] not in str(row)
    assert keys.verify(key) == record
    assert keys.list() == [record]


def test_a_revoked_key_is_no_key_and_stays_listed(keys: KeyRepository) -> None:
    key, record = keys.create("laptop")
    first = keys.revoke(record.id)
    assert first.revoked_at is not None
    assert keys.revoke(record.id) == first, "revoking twice changed the time of the first"
    assert keys.verify(key) is None
    assert not keys.any_active()
    with pytest.raises(NotFound, match="deadbeef"):
        keys.revoke("deadbeef")


@pytest.mark.parametrize("name", ["", "x" * 101, "a\nb", "<script>", "';--"])
def test_a_strange_name_is_refused(keys: KeyRepository, name: str) -> None:
    with pytest.raises(InvalidRequest):
        keys.create(name)
    assert keys.list() == []


def test_the_secret_of_another_key_does_not_fit(keys: KeyRepository) -> None:
    (one, _), (two, _) = keys.create("one"), keys.create("two")
    mixed = one[:15] + two[15:]
    assert KEY_PATTERN.fullmatch(mixed)
    assert keys.verify(mixed) is None


def test_keys_survive_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "venom.db"
    engine = open_database(path)
    key, record = KeyRepository(engine).create("laptop")
    engine.dispose()
    engine = open_database(path)
    assert KeyRepository(engine).verify(key) == record


@pytest.mark.parametrize("damage", ["a directory", "garbage"])
def test_a_store_that_cannot_be_opened_is_a_sentence(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "venom.db"
    if damage == "garbage":
        path.write_bytes(b"this is no database" * 100)
    else:
        path.mkdir()
    with pytest.raises(StorageError) as raised:
        open_database(path)
    expected = {"garbage": "store_damaged", "a directory": "store_not_writable"}
    assert raised.value.code == expected[damage]
    assert raised.value.fix


@pytest.mark.parametrize(
    "rights",
    [
        KeyRights(scopes=()),
        KeyRights(scopes=("chat", "root")),  # type: ignore[arg-type]
        KeyRights(models=()),
        KeyRights(models=("a b",)),
        KeyRights(models=("x" * 201,)),
        KeyRights(models=("m",) * 51),
        KeyRights(requests_per_day=0),
        KeyRights(tokens_per_day=-1),
    ],
)
def test_rights_that_are_none_are_refused(keys: KeyRepository, rights: KeyRights) -> None:
    with pytest.raises(InvalidRequest):
        keys.create("laptop", rights)
    assert keys.list() == []


def test_rights_are_kept(keys: KeyRepository) -> None:
    rights = KeyRights(("chat", "models"), ("gemma3:*", "ollama://[ab]?"), 10, 2_000_000_000_000)
    key, record = keys.create("laptop", rights)
    assert keys.verify(key) == record and record.rights == rights
    assert keys.active(record.id) == record
    keys.revoke(record.id)
    assert keys.active(record.id) is None


def test_making_and_revoking_are_written_down_without_the_key(keys: KeyRepository) -> None:
    key, record = keys.create("laptop", actor=Actor("boss", "req-1"))
    keys.revoke(record.id)
    keys.revoke(record.id)
    revoked, made = read_audit(keys._engine)
    assert (made.action, made.subject, made.key_id, made.before) == (
        "key.create", record.id, "boss", None,
    )  # fmt: skip
    assert made.after is not None and made.after["name"] == "laptop"
    assert revoked.action == "key.revoke" and revoked.after["revoked_at"]
    assert revoked.before is not None and revoked.before["revoked_at"] is None
    assert key.split("-", 2)[2] not in str((revoked, made))
