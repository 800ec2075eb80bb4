"""The browsers that are signed in: who sees them, who ends one, what ends with it."""

from __future__ import annotations

import asyncio

import httpx

from tests.unit.api.conftest import MakeVenom
from venom_core.api.signins import MAX_BROWSER, SignIns
from venom_core.store.keys import KeyRights
from venom_core.testing.staging import client_of

PATH = "/api/v1/signins"
PAGE = {"Origin": "http://127.0.0.1:8366"}


async def sign_in(client: httpx.AsyncClient, key: str, browser: str) -> str:
    """Sign in as a browser; return its Cookie header."""
    headers = {**PAGE, "User-Agent": browser}
    answer = await client.post("/api/v1/session", json={"key": key}, headers=headers)
    client.cookies.clear()
    return str(answer.headers["set-cookie"]).partition(";")[0]


async def test_browsers_are_listed_and_one_is_signed_out(make_venom: MakeVenom) -> None:
    venom = make_venom()
    key, record = venom.store.keys().create("laptop")
    async with client_of(venom) as client:
        phone = await sign_in(client, key, "Phone/1\n\x1b[31m")
        desk = await sign_in(client, key, "D" * 500)
        answer = await client.get(PATH, headers={"Cookie": desk})
        told = answer.json()
        assert [one["browser"] for one in told["signins"]] == ["D" * MAX_BROWSER, "Phone/1  [31m"]
        assert [one["here"] for one in told["signins"]] == [True, False]
        assert {one["key_id"] for one in told["signins"]} == {record.id}
        assert told["count"] == 2
        for cookie in (phone, desk):
            assert cookie.partition("=")[2] not in answer.text, "a token is shown"
        first = await client.get(PATH, params={"limit": 1}, headers={"Cookie": desk})
        assert (len(first.json()["signins"]), first.json()["count"]) == (1, 2)
        other = told["signins"][1]["id"]
        ended = await client.delete(f"{PATH}/{other}", headers={"Cookie": desk, **PAGE})
        assert ended.status_code == 200
        assert (await client.get(PATH, headers={"Cookie": phone})).status_code == 401
        assert (await client.get(PATH, headers={"Cookie": desk})).json()["count"] == 1
        again = await client.delete(f"{PATH}/{other}", headers={"Cookie": desk, **PAGE})
        assert (again.status_code, again.json()["code"]) == (404, "signin_not_found")
    newest = venom.store.audit(1)[0]
    assert (newest.action, newest.subject) == ("session.end", record.id)


async def test_without_the_scope_admin_a_key_has_its_own_only(make_venom: MakeVenom) -> None:
    venom = make_venom()
    key, _ = venom.store.keys().create("owner")
    chat, record = venom.store.keys().create("team", KeyRights(("chat",)))
    async with client_of(venom) as client:
        await sign_in(client, key, "owner's")
        cookie = await sign_in(client, chat, "team's")
        told = (await client.get(PATH, headers={"Cookie": cookie})).json()
        assert [one["browser"] for one in told["signins"]] == ["team's"]
        everybody = (await client.get(PATH, headers={"x-api-key": key})).json()["signins"]
        owners = next(one["id"] for one in everybody if one["key_id"] != record.id)
        ended = await client.delete(f"{PATH}/{owners}", headers={"Cookie": cookie, **PAGE})
        assert ended.status_code == 404
        assert (await client.get(PATH, headers={"x-api-key": key})).json()["count"] == 2


async def test_what_a_browser_has_under_way_ends_with_its_sign_in(make_venom: MakeVenom) -> None:
    venom = make_venom()
    key, _ = venom.store.keys().create("laptop")
    async with client_of(venom) as client:
        cookie = await sign_in(client, key, "Phone/1")
        feed = asyncio.create_task(client.get("/api/v1/events", headers={"Cookie": cookie}))
        sent_with = {"x-api-key": key}
        one = (await client.get(PATH, headers=sent_with)).json()["signins"][0]["id"]
        assert (await client.delete(f"{PATH}/{one}", headers=sent_with)).status_code == 200
        async with asyncio.timeout(60):
            await feed


def test_a_sign_in_that_is_over_is_not_listed() -> None:
    now = [0.0]
    signins = SignIns(lambda: now[0])
    token = signins.begin("1a2b3c4d", "Phone/1")
    seen = signins.seen(token)
    assert seen is not None and signins.is_signed_in(seen.id)
    now[0] = 8 * 86_400
    assert signins.listing() == []
    assert signins.seen(token) is None and not signins.is_signed_in(seen.id)
