"""Sign-in links: one browser, once, with one key."""

from __future__ import annotations

import logging

import httpx
import pytest

from tests.unit.api.conftest import MakeVenom
from venom_core.api.signin_links import FRAGMENT, LINK_SECONDS, MAX_LINKS, SignInLinks
from venom_core.store.keys import KeyRights
from venom_core.testing.staging import client_of

PAGE = {"Origin": "http://127.0.0.1:8366"}
LINKS = "/api/v1/signins/links"


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


async def ticket_of(client: httpx.AsyncClient, key: str) -> str:
    made = await client.post(LINKS, json={}, headers=bearer(key))
    assert made.status_code == 200, made.text
    path = made.json()["path"]
    assert path.startswith(f"/{FRAGMENT}") and made.json()["expires_in"] == LINK_SECONDS
    return str(path.removeprefix(f"/{FRAGMENT}"))


async def opened(client: httpx.AsyncClient, ticket: str) -> httpx.Response:
    return await client.post("/api/v1/session", json={"ticket": ticket}, headers=PAGE)


async def test_a_link_signs_in_once_as_the_key_that_made_it(
    make_venom: MakeVenom, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    venom = make_venom()
    key, record = venom.store.keys().create("laptop", KeyRights(scopes=("chat",)))
    async with client_of(venom) as client:
        ticket = await ticket_of(client, key)
        assert (await client.get("/v1/models", headers=bearer(ticket))).status_code == 401
        answer = await opened(client, ticket)
        assert answer.status_code == 200 and ticket not in answer.headers["set-cookie"]
        state = (await client.get("/api/v1/session")).json()
        assert (state["key_id"], state["scopes"]) == (record.id, ["chat"])
        client.cookies.clear()
        again = await opened(client, ticket)
        assert again.status_code == 401 and "set-cookie" not in again.headers
        assert again.json()["code"] == "signin_link_invalid"
        assert "venom keys link" in again.json()["fix"]
        trail = (await client.get("/api/v1/audit", headers=bearer(venom.local_token))).json()
    actions = [entry["action"] for entry in trail["entries"]]
    assert actions[:2] == ["session.begin", "session.link"]
    assert ticket not in caplog.text


async def test_a_revoked_key_has_no_links(make_venom: MakeVenom) -> None:
    venom = make_venom()
    key, record = venom.store.keys().create("laptop")
    venom.store.keys().create("another")
    async with client_of(venom) as client:
        ticket = await ticket_of(client, key)
        venom.store.keys().revoke(record.id)
        client._transport.app.state.key_ring.forget_answers()  # type: ignore[attr-defined]
        assert (await opened(client, ticket)).status_code == 401
        assert (await client.post(LINKS, json={}, headers=bearer(key))).status_code == 401


@pytest.mark.parametrize(
    "body",
    [{}, {"key": None, "ticket": None}, {"ticket": ""}, {"ticket": "x" * 201}, {"ticket": 7}],
)
async def test_a_body_that_says_nothing_signs_nobody_in(
    make_venom: MakeVenom, body: dict[str, object]
) -> None:
    venom = make_venom()
    venom.store.keys().create("laptop")
    async with client_of(venom) as client:
        answer = await client.post("/api/v1/session", json=body, headers=PAGE)
        assert answer.status_code in (400, 422) and "set-cookie" not in answer.headers


async def test_a_key_and_a_ticket_at_once_are_refused_and_the_ticket_is_not_used_up(
    make_venom: MakeVenom,
) -> None:
    venom = make_venom()
    key, _ = venom.store.keys().create("laptop")
    async with client_of(venom) as client:
        ticket = await ticket_of(client, key)
        both = {"key": key, "ticket": ticket}
        answer = await client.post("/api/v1/session", json=both, headers=PAGE)
        assert answer.status_code == 400 and "set-cookie" not in answer.headers
        assert (await opened(client, ticket)).status_code == 200


async def test_a_link_for_another_key_is_the_users_own_to_make(make_venom: MakeVenom) -> None:
    venom = make_venom()
    key, _ = venom.store.keys().create("laptop")
    _, other = venom.store.keys().create("another")
    async with client_of(venom) as client:
        body = {"key_id": other.id}
        refused = await client.post(LINKS, json=body, headers=bearer(key))
        assert refused.status_code == 403
        own = bearer(venom.local_token)
        made = await client.post(LINKS, json=body, headers=own)
        assert made.json()["key_id"] == other.id
        for nobody in (None, "ffffffff", "local"):
            gone = await client.post(LINKS, json={"key_id": nobody}, headers=own)
            assert gone.json()["code"] == "key_not_found", nobody


def test_links_end_and_are_bounded() -> None:
    now = 0.0
    links = SignInLinks(clock=lambda: now)
    old = links.make("a")
    now = LINK_SECONDS - 1.0
    kept = links.make("b")
    now = LINK_SECONDS + 0.0
    assert links.take(old) is None and links.take(kept) == "b"
    made = [links.make("c") for _ in range(MAX_LINKS + 1)]
    assert links.take(made[0]) is None and links.take(made[1]) == "c"
