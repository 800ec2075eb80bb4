"""A key's end and its last use: who is let in, what is written down, what is shown."""

from __future__ import annotations

import pytest

from tests.unit.api.conftest import MakeVenom
from venom_core.api import security
from venom_core.sdk.errors import NoDiskSpace
from venom_core.store.keys import ApiKey, KeyRepository, KeyRights, expiry
from venom_core.testing.deadlines import until
from venom_core.testing.staging import client_of

KEYS = "/api/v1/keys"
PAST, FUTURE = "2020-01-01T00:00:00Z", "2999-01-01T00:00:00Z"


async def test_a_key_is_made_for_so_many_days(make_venom: MakeVenom) -> None:
    venom = make_venom()
    async with client_of(venom) as client:
        made = await client.post(KEYS, json={"name": "month", "expires_in_days": 30})
        day = str(expiry(30))[:10]
        assert made.json()["expires_at"][:10] == day
        mine = {"x-api-key": made.json()["key"]}
        longer = await client.post(KEYS, json={"name": "a", "expires_in_days": 31}, headers=mine)
        always = await client.post(KEYS, json={"name": "a"}, headers=mine)
        shorter = await client.post(KEYS, json={"name": "a", "expires_in_days": 29}, headers=mine)
        assert [one.status_code for one in (longer, always, shorter)] == [403, 403, 200]
        for days in (0, 3651):
            body = {"name": "a", "expires_in_days": days}
            assert (await client.post(KEYS, json=body, headers=mine)).status_code == 422


async def test_an_expired_key_lets_nobody_in_and_opens_nothing(make_venom: MakeVenom) -> None:
    venom = make_venom()
    key, _ = venom.store.keys().create("old", KeyRights(expires_at=PAST))
    async with client_of(venom) as client:
        answer = await client.get(KEYS, headers={"x-api-key": key})
        assert (answer.status_code, answer.json()["code"]) == (401, "invalid_api_key")
        assert "expired" in answer.json()["detail"]
        assert (await client.get(KEYS)).status_code == 401, "the door stays shut"
        signed = await client.post("/api/v1/session", json={"key": key})
        assert signed.status_code == 401


async def test_a_browser_is_signed_out_when_its_key_expires(
    make_venom: MakeVenom, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(security, "KEYS_FRESH_SECONDS", -1.0)
    venom = make_venom()
    key, _ = venom.store.keys().create("month", KeyRights(expires_at=FUTURE))
    async with client_of(venom) as client:
        await client.post("/api/v1/session", json={"key": key})
        assert (await client.get(KEYS)).status_code == 200
        monkeypatch.setattr(ApiKey, "is_expired", True)
        assert (await client.get(KEYS)).status_code == 401


@pytest.mark.parametrize("stored", ["", "soon", "0"])
def test_an_end_that_is_no_time_is_over(stored: str) -> None:
    assert ApiKey("1", "a", PAST, rights=KeyRights(expires_at=stored)).is_expired


async def test_the_first_key_is_needed_at_once_and_the_last_no_more(make_venom: MakeVenom) -> None:
    venom = make_venom()
    async with client_of(venom) as client:
        assert (await client.get(KEYS)).status_code == 200
        made = (await client.post(KEYS, json={"name": "first"})).json()
        assert (await client.get(KEYS)).status_code == 401
        signed = await client.post("/api/v1/session", json={"key": made["key"]})
        assert signed.json()["signed_in"] is True
        gone = await client.delete(f"{KEYS}/{made['id']}", headers={"x-api-key": made["key"]})
        assert gone.json()["last"] is True
        assert (await client.get(KEYS)).status_code == 200


async def test_the_last_use_is_written_down(make_venom: MakeVenom) -> None:
    venom = make_venom()
    key, record = venom.store.keys().create("laptop")
    venom.store.keys().create("other")
    async with client_of(venom) as client:
        assert (await client.get(KEYS, headers={"x-api-key": key})).status_code == 200
        await until(lambda: venom.store.keys().list()[0].last_used_at is not None)
        told = (await client.get(KEYS, headers={"x-api-key": key})).json()["keys"]
    used = {one["id"]: one["last_used_at"] for one in told}
    assert used.pop(record.id) >= record.created_at
    assert list(used.values()) == [None]
    assert [entry.action for entry in venom.store.audit(10)] == ["key.create", "key.create"]


async def test_a_use_that_cannot_be_written_down_hinders_nobody(
    make_venom: MakeVenom, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise NoDiskSpace("The disk is full.")

    monkeypatch.setattr(KeyRepository, "note_use", full)
    venom = make_venom()
    key, _ = venom.store.keys().create("laptop")
    async with client_of(venom) as client:
        assert (await client.get(KEYS, headers={"x-api-key": key})).status_code == 200
