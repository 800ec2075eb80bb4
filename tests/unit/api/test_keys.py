"""API keys through the API."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.unit.api.conftest import MakeVenom
from venom_core.store.keys import KeyRights
from venom_core.testing.staging import client_of

KEYS = "/api/v1/keys"
RIGHTS = ("scopes", "models", "requests_per_day", "tokens_per_day")


def sent_with(key: str) -> dict[str, str]:
    return {"authorization": f"Bearer {key}"}


async def test_a_key_is_made_shown_once_used_and_revoked(client: httpx.AsyncClient) -> None:
    assert (await client.get(KEYS)).json() == {"success": True, "keys": [], "count": 0}
    body = {"name": "laptop", "models": ["gemma3:*", "gemma3:*"], "tokens_per_day": 1000}
    made = await client.post(KEYS, json=body)
    assert made.status_code == 200 and made.headers["cache-control"] == "no-store"
    key = made.json()
    assert [key[name] for name in RIGHTS] == [None, ["gemma3:*"], None, 1000]
    headers = sent_with(key["key"])
    listed = await client.get(KEYS, headers=headers)
    assert [one["id"] for one in listed.json()["keys"]] == [key["id"]]
    assert key["key"] not in listed.text
    trail = await client.get("/api/v1/audit", headers=headers)
    assert trail.json()["entries"][0]["action"] == "key.create" and key["key"] not in trail.text
    gone = await client.delete(f"{KEYS}/{key['id']}", headers=headers)
    assert gone.json()["last"] is True and gone.json()["revoked_at"]


async def test_another_one_is_left(client: httpx.AsyncClient) -> None:
    first = (await client.post(KEYS, json={"name": "one"})).json()
    headers = sent_with(first["key"])
    second = (await client.post(KEYS, json={"name": "two"}, headers=headers)).json()
    gone = await client.delete(f"{KEYS}/{second['id']}", headers=headers)
    assert gone.json()["last"] is False
    again = await client.delete(f"{KEYS}/{second['id']}", headers=headers)
    assert again.json()["revoked_at"] == gone.json()["revoked_at"]


BAD: list[tuple[dict[str, Any], int]] = [
    ({}, 422),
    ({"name": ""}, 422),
    ({"name": "x" * 101}, 422),
    ({"name": "a/b"}, 400),
    ({"name": "a\n"}, 400),
    ({"name": "a", "scopes": []}, 422),
    ({"name": "a", "scopes": ["root"]}, 422),
    ({"name": "a", "models": []}, 422),
    ({"name": "a", "models": ["; rm"]}, 400),
    ({"name": "a", "requests_per_day": 0}, 422),
    ({"name": "a", "tokens_per_day": 10**16}, 422),
    ({"name": "a", "tokens_per_day": "many"}, 422),
    ({"name": "a", "owner": "me"}, 422),
]


@pytest.mark.parametrize(("body", "status"), BAD)
async def test_what_is_no_key_makes_none(
    client: httpx.AsyncClient, body: dict[str, Any], status: int
) -> None:
    refused = await client.post(KEYS, json=body)
    assert refused.status_code == status, refused.text
    assert refused.json()["code"] and refused.json()["fix"]
    assert (await client.get(KEYS)).json()["count"] == 0


@pytest.mark.parametrize(
    ("key_id", "status"), [("0a1b2c3d", 404), ("local", 404), ("file-0a1b2c3d", 404), ("a.b", 422)]
)
async def test_a_key_that_is_not_there(client: httpx.AsyncClient, key_id: str, status: int) -> None:
    key = (await client.post(KEYS, json={"name": "a"})).json()["key"]
    refused = await client.delete(f"{KEYS}/{key_id}", headers=sent_with(key))
    assert refused.status_code == status, refused.text


#: What the asking key may, what it asks for, whether it gets it.
GIVEN: list[tuple[KeyRights, dict[str, Any], bool]] = [
    (KeyRights(), {}, True),
    (KeyRights(), {"scopes": ["admin"]}, True),
    (KeyRights(("admin",)), {}, False),
    (KeyRights(("admin",)), {"scopes": ["admin"]}, True),
    (KeyRights(("admin",)), {"scopes": ["chat"]}, False),
    (KeyRights(("admin", "chat")), {"scopes": ["chat"]}, True),
    (KeyRights(models=("a*",)), {}, False),
    (KeyRights(models=("a*", "b")), {"models": ["b"]}, True),
    (KeyRights(models=("a*",)), {"models": ["*"]}, False),
    (KeyRights(requests_per_day=5), {}, False),
    (KeyRights(requests_per_day=5), {"requests_per_day": 6}, False),
    (KeyRights(requests_per_day=5), {"requests_per_day": 5}, True),
    (KeyRights(tokens_per_day=5), {"requests_per_day": 1}, False),
    (KeyRights(tokens_per_day=5), {"tokens_per_day": 4}, True),
]


@pytest.mark.parametrize(("has", "asks", "gets"), GIVEN)
async def test_a_key_gives_no_more_than_it_has(
    make_venom: MakeVenom, has: KeyRights, asks: dict[str, Any], gets: bool
) -> None:
    venom = make_venom()
    key, _ = venom.store.keys().create("giver", has)
    async with client_of(venom) as client:
        answer = await client.post(KEYS, json={"name": "new", **asks}, headers=sent_with(key))
    assert answer.status_code == (200 if gets else 403), answer.text
    if not gets:
        assert answer.json()["code"] == "scope_missing"
    assert len(venom.store.keys().list()) == (2 if gets else 1)


async def test_a_key_that_is_being_revoked_gives_none(make_venom: MakeVenom) -> None:
    venom = make_venom()
    key, record = venom.store.keys().create("giver")
    async with client_of(venom) as client:
        assert (await client.get(KEYS, headers=sent_with(key))).status_code == 200
        venom.store.keys().revoke(record.id)  # it may pass for two seconds more
        answer = await client.post(KEYS, json={"name": "new"}, headers=sent_with(key))
    assert answer.status_code in (401, 403)
    assert len(venom.store.keys().list()) == 1


@pytest.mark.parametrize("scope", ["chat", "models"])
async def test_keys_are_for_those_who_administer(make_venom: MakeVenom, scope: str) -> None:
    venom = make_venom()
    key, record = venom.store.keys().create("some", KeyRights((scope,)))  # type: ignore[arg-type]
    async with client_of(venom) as client:
        headers = sent_with(key)
        answers = [
            await client.get(KEYS, headers=headers),
            await client.post(KEYS, json={"name": "a"}, headers=headers),
            await client.delete(f"{KEYS}/{record.id}", headers=headers),
        ]
    assert [one.status_code for one in answers] == [403, 403, 403]
