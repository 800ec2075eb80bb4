"""Damaged surroundings: something around Venom is broken; what stands is served all the same."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest

from tests.unit.api.conftest import client_of
from venom_core.api import security
from venom_core.composition import Venom
from venom_core.sdk.errors import InvalidRequest
from venom_core.settings.layers import Settings
from venom_core.settings.paths import Paths
from venom_core.store import sessions
from venom_core.store.database import open_database
from venom_core.store.keys import KeyRepository
from venom_core.store.sessions import Message, Owner, SessionRepository


def keys_of(venom: Venom) -> KeyRepository:
    venom.settings.paths.make(venom.settings.paths.home)
    return KeyRepository(open_database(venom.settings.paths.store_file))


def remove_store(venom: Venom) -> None:
    for file in venom.settings.paths.store_file.parent.glob("venom.db*"):
        file.unlink()


def replace_store(venom: Venom) -> None:
    remove_store(venom)
    open_database(venom.settings.paths.store_file).dispose()


@pytest.fixture
def venom(tmp_path: Path) -> Venom:
    return Venom(Settings.load(Paths.at(tmp_path / "home"), {}))


@pytest.mark.parametrize("asked_before", [True, False])
@pytest.mark.parametrize("lose", [remove_store, replace_store])
async def test_keys_that_are_lost_open_nothing(
    venom: Venom, monkeypatch: pytest.MonkeyPatch, asked_before: bool, lose
) -> None:
    monkeypatch.setattr(security, "KEYS_FRESH_SECONDS", -1.0)
    keys_of(venom).create("laptop")
    async with client_of(venom) as client:
        if asked_before:
            assert (await client.get("/v1/models")).status_code == 401
        lose(venom)
        for path in ("/v1/models", "/api/v1/plugins", "/api/v1/sessions"):
            assert (await client.get(path)).status_code == 401, path
        # The fix that is told: a new key, in the store that is there now.
        key, _ = keys_of(venom).create("again")
        headers = {"Authorization": f"Bearer {key}"}
        assert (await client.get("/v1/models", headers=headers)).status_code == 200


async def test_the_last_key_revoked_opens_and_says_so(
    venom: Venom, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(security, "KEYS_FRESH_SECONDS", -1.0)
    _, record = keys_of(venom).create("laptop")
    async with client_of(venom) as client:
        assert (await client.get("/v1/models")).status_code == 401
        keys_of(venom).revoke(record.id)
        assert (await client.get("/v1/models")).status_code == 200


def test_one_key_fills_its_own_room_and_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "MAX_OWNER_BYTES", 20_000)
    repository = SessionRepository(open_database(tmp_path / "venom.db"))
    greedy, modest = Owner("greedy"), Owner("modest")
    written = 0
    with contextlib.suppress(InvalidRequest):
        for number in range(1000):
            repository.create(greedy, f"s{number}", "", [Message("user", "ż" * 1000)])
            written += 2000
    assert 0 < written < 20_000
    with pytest.raises(InvalidRequest) as refused:
        repository.create(greedy, "more", "", [Message("user", "x" * 5000)])
    assert refused.value.code == "sessions_full"
    repository.create(modest, "s", "", [Message("user", "x" * 5000)])
    for session in repository.list(greedy, 100):  # the fix
        repository.delete(greedy, session.id)
    repository.create(greedy, "more", "", [Message("user", "x" * 5000)])


def test_empty_sessions_take_room_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "MAX_OWNER_BYTES", 3_000)
    repository = SessionRepository(open_database(tmp_path / "venom.db"))
    with pytest.raises(InvalidRequest):
        for number in range(100):
            repository.create(Owner("k"), f"s{number}", "")
