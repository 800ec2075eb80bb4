"""A browser signs in: what the cookie is, what it opens, what another page cannot do with it."""

from __future__ import annotations

import logging
from pathlib import Path

import httpx
import pytest

from tests.unit.api.conftest import MakeVenom
from venom_core.api import security
from venom_core.api.signins import COOKIE, MAX_SIGNED_IN, SIGNED_IN_SECONDS, SignIns
from venom_core.store.keys import KeyRights
from venom_core.testing import scripted
from venom_core.testing.scripted import Script, answer
from venom_core.testing.staging import client_of

CHAT = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
PAGE = {"Origin": "http://127.0.0.1:8366"}


@pytest.fixture(autouse=True)
def model() -> None:
    scripted.SCRIPTS["m"] = Script(answer("x"))


async def sign_in(client: httpx.AsyncClient, key: str) -> httpx.Response:
    return await client.post("/api/v1/session", json={"key": key}, headers=PAGE)


async def test_a_key_becomes_a_cookie_that_is_not_the_key(make_venom: MakeVenom) -> None:
    venom = make_venom()
    key, record = venom.store.keys().create("laptop", KeyRights(scopes=("chat",)))
    async with client_of(venom) as client:
        before = (await client.get("/api/v1/session")).json()
        assert (before["key_required"], before["signed_in"]) == (True, False)
        response = await sign_in(client, key)
        assert response.status_code == 200
        set_cookie = response.headers["set-cookie"]
        assert "HttpOnly" in set_cookie and "SameSite=Strict" in set_cookie
        assert "Path=/;" in set_cookie and "Secure" not in set_cookie
        assert f"Max-Age={SIGNED_IN_SECONDS}" in set_cookie
        assert key.split("-", 2)[2] not in str(response.headers) + response.text
        told = (await client.get("/api/v1/session")).json()
        assert (told["signed_in"], told["key_id"], told["scopes"]) == (True, record.id, ["chat"])
        chat = await client.post("/v1/chat/completions", json=CHAT, headers=PAGE)
        assert chat.status_code == 200
        assert (await client.get("/api/v1/overview")).status_code == 200
        assert (await client.get("/api/v1/audit")).status_code == 403, "its scopes hold"
        out = await client.delete("/api/v1/session", headers=PAGE)
        assert "Max-Age=0" in out.headers["set-cookie"]
        assert (await client.get("/api/v1/overview")).status_code == 401
        assert (await client.delete("/api/v1/session", headers=PAGE)).status_code == 200
    found = venom.store.usage().summary(_all(), "key")
    assert found[record.id].requests == 1


def _all() -> object:
    from venom_core.store.ledger import Range

    return Range("0000-01-01", "9999-12-31")


async def test_signing_out_ends_the_session_for_whoever_kept_the_cookie(
    make_venom: MakeVenom,
) -> None:
    venom = make_venom()
    key, _ = venom.store.keys().create("laptop")
    async with client_of(venom) as client:
        await sign_in(client, key)
        kept = {"Cookie": f"{COOKIE}={client.cookies[COOKIE]}"}
        client.cookies.clear()
        assert (await client.get("/v1/models", headers=kept)).status_code == 200
        await client.delete("/api/v1/session", headers={**kept, **PAGE})
        assert (await client.get("/v1/models", headers=kept)).status_code == 401


@pytest.mark.parametrize(
    "key", ["wrong", "venom-00000000-" + "x" * 43, "' OR 1=1 --", "", "x" * 201]
)
async def test_a_wrong_key_signs_nobody_in(make_venom: MakeVenom, key: str) -> None:
    venom = make_venom()
    venom.store.keys().create("laptop")
    async with client_of(venom) as client:
        response = await sign_in(client, key)
        assert response.status_code in (401, 422)
        assert "set-cookie" not in response.headers


@pytest.mark.parametrize("method", ["POST", "DELETE", "PUT"])
async def test_csrf_a_request_without_a_body_from_another_page(
    make_venom: MakeVenom, method: str
) -> None:
    """A form can POST without a body and without asking first; the cookie must not be enough."""
    venom = make_venom()
    key, _ = venom.store.keys().create("laptop")
    path = "/api/v1/plugins/scripted/disable" if method == "POST" else "/api/v1/models/m"
    async with client_of(venom) as client:
        await sign_in(client, key)
        for headers in (
            {"Origin": "http://evil.example"},
            {"Origin": "null"},
            {"Origin": "http://127.0.0.1:3000"},  # the same site to a browser, not the same origin
            {},
            {"Sec-Fetch-Site": "cross-site"},
            {"Sec-Fetch-Site": "same-site"},
            {"Sec-Fetch-Site": "none"},
        ):
            response = await client.request(method, path, headers=headers)
            assert response.status_code in (403, 405), (headers, response.text)
        plugins = (await client.get("/api/v1/plugins")).json()["plugins"]
        assert plugins[0]["state"] != "disabled"
        assert "m" in scripted.SCRIPTS
        own = {"Sec-Fetch-Site": "same-origin"}
        done = await client.post("/api/v1/plugins/scripted/disable", headers=own)
        assert done.status_code == 200


async def test_csrf_on_v1_too(make_venom: MakeVenom) -> None:
    venom = make_venom()
    key, _ = venom.store.keys().create("laptop")
    async with client_of(venom) as client:
        await sign_in(client, key)
        assert (await client.post("/v1/chat/completions", json=CHAT)).status_code == 403
        assert scripted.SEEN.requests == []


async def test_a_key_in_a_header_counts_and_the_cookie_beside_it_does_not(
    make_venom: MakeVenom,
) -> None:
    venom = make_venom()
    key, _ = venom.store.keys().create("laptop")
    other, record = venom.store.keys().create("other")
    async with client_of(venom) as client:
        await sign_in(client, key)
        told = await client.get("/api/v1/session", headers={"x-api-key": other})
        assert told.json()["key_id"] == record.id
        for header in ("x-api-key", "Authorization"):
            response = await client.get("/v1/models", headers={header: "wrong"})
            assert response.status_code == 401


async def test_a_revoked_key_ends_its_sessions(
    make_venom: MakeVenom, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(security, "KEYS_FRESH_SECONDS", 0.0)
    venom = make_venom()
    venom.store.keys().create("another")
    key, record = venom.store.keys().create("laptop")
    async with client_of(venom) as client:
        await sign_in(client, key)
        assert (await client.get("/v1/models")).status_code == 200
        venom.store.keys().revoke(record.id)
        assert (await client.get("/v1/models")).status_code == 401


async def test_where_no_key_is_needed_there_is_nothing_to_sign_in_to(
    client: httpx.AsyncClient,
) -> None:
    response = await sign_in(client, "anything")
    assert response.json()["key_required"] is False
    assert "set-cookie" not in response.headers


async def test_a_key_of_the_file_signs_in(make_venom: MakeVenom, tmp_path: Path) -> None:
    file = tmp_path / "keys"
    file.write_text("a-key-of-the-file-0001\n")
    async with client_of(make_venom(VENOM_API_KEY_FILE=str(file))) as client:
        assert (await sign_in(client, "a-key-of-the-file-0001")).status_code == 200
        assert (await client.get("/v1/models")).status_code == 200


async def test_no_key_and_no_token_in_log_or_store(
    make_venom: MakeVenom, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    caplog.set_level(logging.DEBUG)
    venom = make_venom()
    key, record = venom.store.keys().create("laptop")
    async with client_of(venom) as client:
        await sign_in(client, key)
        token = client.cookies[COOKIE]
        wrong = await client.post("/api/v1/session", json={"key": key, "x": 1}, headers=PAGE)
        assert wrong.status_code == 422 and key not in wrong.text
        entries = (await client.get("/api/v1/audit")).json()["entries"]
    assert (entries[0]["action"], entries[0]["key_id"]) == ("session.begin", record.id)
    for secret in (token, key.split("-", 2)[2]):
        assert secret not in caplog.text
        assert secret not in str(entries)
        for file in (tmp_path / "home").rglob("*"):
            assert not file.is_file() or secret.encode() not in file.read_bytes()


def test_a_session_ends_by_itself_and_there_are_not_too_many() -> None:
    now = 0.0
    signins = SignIns(lambda: now)
    first = signins.begin("k")
    now = SIGNED_IN_SECONDS - 1.0
    assert signins.key_id(first) == "k"
    now += 1
    assert signins.key_id(first) is None
    tokens = [signins.begin("k") for _ in range(MAX_SIGNED_IN + 1)]
    assert signins.key_id(tokens[0]) is None
    assert signins.key_id(tokens[1]) == signins.key_id(tokens[-1]) == "k"
    assert signins.key_id(tokens[1] + "x") is None
    assert signins.end(tokens[1]) == "k"
    assert signins.end(tokens[1]) is None
