"""Guards of the API. Each guard here is one that an incident of the field was missing."""

from __future__ import annotations

import logging
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from starlette.routing import BaseRoute, Mount, Route

from tests.unit.api.conftest import MakeVenom
from venom_core.api import security
from venom_core.api.app import create_app
from venom_core.testing import scripted
from venom_core.testing.scripted import Script, answer
from venom_core.testing.staging import client_of

OPEN = ("/healthz", "/health", "/readyz", "/openapi.json", "/session")
CHAT = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}


@pytest.fixture(autouse=True)
def model() -> None:
    scripted.SCRIPTS["m"] = Script(answer("x"))


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:8366", "127.0.0.1.evil.example", "localhost.evil.example",
     "169.254.169.254", "10.0.0.7", "", "127.0.0.1@evil.example", "evil.example#127.0.0.1",
     "127.0.0.1/..", "[::1", "localhost:99999999", "0.0.0.0", "2130706433"],
)  # fmt: skip
@pytest.mark.parametrize("path", ["/healthz", "/v1/models", "/api/v1/plugins", "/", "/metrics"])
async def test_dns_rebinding_a_foreign_host_is_refused_everywhere(
    client: httpx.AsyncClient, host: str, path: str
) -> None:
    response = await client.get(path, headers={"Host": host})
    assert response.status_code == 403
    body = response.json()
    record = body.get("error", body)
    assert record["code"] == "host_not_allowed"
    assert "to VENOM_ALLOWED_HOSTS" in record["fix"]


@pytest.mark.parametrize(
    "host", ["localhost", "localhost:8366", "LOCALHOST", "a.localhost", "127.0.0.1", "127.5.5.5:1",
             "[::1]:8366", "localhost."],
)  # fmt: skip
async def test_this_machines_names_pass(client: httpx.AsyncClient, host: str) -> None:
    assert (await client.get("/healthz", headers={"Host": host})).status_code == 200


async def test_two_hosts_are_none(client: httpx.AsyncClient) -> None:
    request = client.build_request("GET", "/healthz")
    request.headers = httpx.Headers([("Host", "localhost"), ("Host", "evil.example")])
    assert (await client.send(request)).status_code == 403


async def test_an_allowed_host_passes_by_name_only(make_venom: MakeVenom) -> None:
    async with client_of(make_venom(VENOM_ALLOWED_HOSTS="venom.lan, box")) as client:
        for host, status in [("venom.lan", 200), ("BOX:80", 200), ("x.venom.lan", 403)]:
            response = await client.get("/healthz", headers={"Host": host})
            assert response.status_code == status, host


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "http://localhost:3000", "chrome-extension://abc",
               "http://127.0.0.1:8366.evil.example", "file://"],
)  # fmt: skip
@pytest.mark.parametrize("path", ["/v1/chat/completions", "/api/v1/plugins/scripted/disable"])
async def test_csrf_a_foreign_page_may_not_post(
    client: httpx.AsyncClient, origin: str, path: str
) -> None:
    response = await client.post(path, json=CHAT, headers={"Origin": origin})
    assert response.status_code == 403
    assert "origin_not_allowed" in response.text
    assert scripted.SEEN.requests == []


async def test_the_own_page_and_allowed_origins_may(make_venom: MakeVenom) -> None:
    async with client_of(make_venom(VENOM_ALLOWED_ORIGINS="https://app.example/")) as client:
        for origin in ("http://127.0.0.1:8366", "https://app.example"):
            response = await client.post(
                "/v1/chat/completions", json=CHAT, headers={"Origin": origin}
            )
            assert response.status_code == 200, origin


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/api/v1/models/install"])
async def test_an_allowed_page_may_send_the_headers_that_there_are(
    make_venom: MakeVenom, path: str
) -> None:
    wanted = "authorization,content-type,venom-queue,venom-explain"
    asked = {
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": wanted,
    }
    async with client_of(make_venom(VENOM_ALLOWED_ORIGINS="https://app.example")) as client:
        for origin, status in (("https://app.example", 200), ("https://evil.example", 403)):
            response = await client.options(path, headers={"Origin": origin, **asked})
            assert response.status_code == status, origin
            assert ("access-control-allow-origin" in response.headers) == (status == 200)


async def test_without_any_key_none_is_asked_for(client: httpx.AsyncClient) -> None:
    assert (await client.get("/v1/models")).status_code == 200


def routes_of(app: FastAPI) -> list[tuple[str, str]]:
    """Method and path of every route: FastAPI's from its schema, plain ones from the app."""
    found = [
        (method.upper(), path)
        for path, methods in app.openapi()["paths"].items()
        for method in methods
    ]
    plain: list[tuple[str, BaseRoute]] = [("", route) for route in app.router.routes]
    while plain:
        prefix, route = plain.pop()
        if isinstance(route, Mount):
            plain += [(prefix + route.path, inner) for inner in route.routes]
        elif isinstance(route, Route):
            method = min((route.methods or {"GET"}) - {"HEAD"})
            found.append((method, prefix + route.path))
    return found


async def test_every_route_needs_the_key_once_there_is_one(make_venom: MakeVenom) -> None:
    venom = make_venom()
    venom.store.keys().create("laptop")
    routes = routes_of(create_app(venom))
    paths = {path for _, path in routes}
    assert {"/v1/chat/completions", "/v1/models/{model_id:path}", "/api/v1/plugins", "/metrics",
            "/api/v1/models/install", "/api/v1/events", "/api/v1/overview"} <= paths  # fmt: skip
    async with client_of(venom) as client:
        for method, path in routes:
            concrete = path.replace("{model_id:path}", "m").replace("{name}", "m")
            concrete = concrete.replace("{plugin_id}", "scripted").replace("{verb}", "disable")
            response = await client.request(method, concrete, json=CHAT)
            open_to_all = path.endswith(OPEN)
            assert (response.status_code != 401) == open_to_all, (method, path)
            if not open_to_all:
                assert "invalid_api_key" in response.text
                assert response.headers["www-authenticate"] == "Bearer"
    assert scripted.SEEN.requests == []


@pytest.mark.parametrize("form", ["Authorization", "x-api-key"])
async def test_both_header_forms_are_one_check(make_venom: MakeVenom, form: str) -> None:
    venom = make_venom()
    key, record = venom.store.keys().create("laptop")
    other, revoked = venom.store.keys().create("old")
    venom.store.keys().revoke(revoked.id)
    value = {"Authorization": "Bearer {}", "x-api-key": "{}"}[form]
    wrong = [other, key[:-1], key + "x", key.upper(), "venom-00000000-" + key[15:], "' OR '1'='1",
             "venom-%' OR 1=1 --", "\u0107".encode().decode("latin-1"), ""]  # fmt: skip
    async with client_of(venom) as client:
        for candidate in wrong:
            response = await client.get(
                "/v1/models", headers={form: value.format(candidate).encode("latin-1")}
            )
            assert response.status_code == 401, candidate
        response = await client.get("/v1/models", headers={form: value.format(key)})
        assert response.status_code == 200
    assert record.id in key


async def test_two_different_keys_in_two_forms_are_none(make_venom: MakeVenom) -> None:
    venom = make_venom()
    key, _ = venom.store.keys().create("laptop")
    async with client_of(venom) as client:
        for number in range(16):  # which of two a careless check takes may depend on their hashes
            headers = {"Authorization": f"Bearer {key}", "x-api-key": f"something-else-{number}"}
            assert (await client.get("/v1/models", headers=headers)).status_code == 401
        headers = {"Authorization": f"Bearer {key}", "x-api-key": key}
        assert (await client.get("/v1/models", headers=headers)).status_code == 200


async def test_a_forged_path_in_host_opens_nothing(make_venom: MakeVenom) -> None:
    """BadHost: a check that reads ``request.url.path`` believes ``Host: x/healthz?``."""
    venom = make_venom()
    venom.store.keys().create("laptop")
    async with client_of(venom) as client:
        for host in ("127.0.0.1/healthz?", "127.0.0.1/healthz#", "localhost/"):
            response = await client.get("/v1/models", headers={"Host": host})
            assert response.status_code in (401, 403)


async def test_a_key_file_for_containers(make_venom: MakeVenom, tmp_path: Path) -> None:
    file = tmp_path / "keys"
    file.write_text("first-key-of-the-file\n\nsecond-key-of-the-file\n")
    async with client_of(make_venom(VENOM_API_KEY_FILE=str(file))) as client:
        assert (await client.get("/v1/models")).status_code == 401
        for key in ("first-key-of-the-file", "second-key-of-the-file"):
            response = await client.get("/v1/models", headers={"x-api-key": key})
            assert response.status_code == 200


async def test_beyond_loopback_a_key_is_needed_even_before_one_exists(
    make_venom: MakeVenom,
) -> None:
    async with client_of(make_venom(VENOM_HOST="0.0.0.0")) as client:
        assert (await client.get("/v1/models")).status_code == 401
        assert (await client.get("/healthz")).status_code == 200


async def test_no_key_in_store_log_or_answer(
    make_venom: MakeVenom, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    caplog.set_level(logging.DEBUG)
    venom = make_venom()
    key, _ = venom.store.keys().create("laptop")
    secret = key.split("-", 2)[2]
    async with client_of(venom) as client:
        for headers in ({"x-api-key": key}, {"x-api-key": key + "x"}):
            response = await client.post("/v1/chat/completions", json=CHAT, headers=headers)
            assert secret not in response.text
            assert secret not in str(response.headers)
    assert secret not in caplog.text
    for file in (tmp_path / "home").rglob("*"):
        assert not file.is_file() or secret.encode() not in file.read_bytes()
    assert (tmp_path / "home" / "venom.db").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("length", ["-1", "1e3", "99999999999", "abc", " 5"])
async def test_a_strange_length_is_refused(client: httpx.AsyncClient, length: str) -> None:
    request = client.build_request("POST", "/v1/chat/completions", content=b"{}")
    request.headers["Content-Length"] = length
    assert (await client.send(request)).status_code in (400, 413)


async def test_a_probe_without_a_key_learns_codes_and_no_addresses(make_venom: MakeVenom) -> None:
    venom = make_venom()
    key, _ = venom.store.keys().create("laptop")
    async with client_of(venom) as client:
        bare = (await client.get("/readyz")).json()["reasons"]
        assert bare
        assert all(set(reason) == {"code"} for reason in bare)
        told = (await client.get("/readyz", headers={"x-api-key": key})).json()["reasons"]
        assert all(reason["message"] for reason in told)


async def test_a_revoked_key_passes_no_longer_than_its_moment(
    make_venom: MakeVenom, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(security, "KEYS_FRESH_SECONDS", 0.0)
    venom = make_venom()
    venom.store.keys().create("another")
    key, record = venom.store.keys().create("laptop")
    async with client_of(venom) as client:
        assert (await client.get("/v1/models", headers={"x-api-key": key})).status_code == 200
        venom.store.keys().revoke(record.id)
        assert (await client.get("/v1/models", headers={"x-api-key": key})).status_code == 401
