"""Behind a reverse proxy: who is believed, which host and path are meant."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from tests.unit.api.conftest import MakeVenom
from venom_core.api.app import create_app
from venom_core.api.forwarding import ForwardedHeaders
from venom_core.composition import Venom
from venom_core.testing import scripted
from venom_core.testing.scripted import Script, answer, say

CHAT = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
PROXY = "10.0.0.7"


@pytest.fixture(autouse=True)
def model() -> None:
    scripted.SCRIPTS["m"] = Script(answer("x"))
    scripted.SCRIPTS["stream"] = Script(say("a", "b"))


@asynccontextmanager
async def client_from(venom: Venom, peer: str, **options: Any) -> AsyncIterator[httpx.AsyncClient]:
    """A client whose connection comes from the address ``peer``."""
    app = create_app(venom)
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app=app, client=(peer, 5000), raise_app_exceptions=False)
        async with httpx.AsyncClient(
            transport=transport, base_url="http://127.0.0.1:8366", **options
        ) as client:
            yield client


def request(headers: dict[str, str], peer: str = PROXY, path: str = "/") -> dict[str, Any]:
    raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    return {
        "type": "http", "method": "GET", "path": path, "raw_path": path.encode(),
        "scheme": "http", "headers": [(b"host", b"inside:8366"), *raw], "client": (peer, 5000),
    }  # fmt: skip


SAID = {
    "X-Forwarded-For": "203.0.113.9",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Host": "venom.example",
}


@pytest.mark.parametrize(
    ("trusted", "peer", "believed"),
    [
        ([PROXY], PROXY, True),
        (["10.0.0.0/8"], PROXY, True),
        (["10.0.0.0/8"], f"::ffff:{PROXY}", True),
        (["fd00::/8"], "fd00::1", True),
        (["10.0.0.8"], PROXY, False),
        (["fd00::/8"], PROXY, False),
        ([], PROXY, False),
        (["127.0.0.1"], "198.51.100.1", False),
    ],
)
def test_only_trusted_proxies_are_believed(trusted: list[str], peer: str, believed: bool) -> None:
    scope = ForwardedHeaders("", trusted)(request(SAID, peer))
    assert (scope["scheme"] == "https") is believed
    assert (scope["client"][0] == "203.0.113.9") is believed
    hosts = [value for name, value in scope["headers"] if name == b"host"]
    assert hosts == ([b"venom.example"] if believed else [b"inside:8366"])


@pytest.mark.parametrize(
    ("said", "client"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("6.6.6.6, 203.0.113.9", "203.0.113.9"),  # the first was written by the client itself
        ("203.0.113.9, 10.0.0.3", "203.0.113.9"),
        ("10.0.0.9, 10.0.0.3", "10.0.0.9"),
        ("203.0.113.9, nonsense", PROXY),
        ("", PROXY),
    ],
)
def test_the_client_is_the_last_that_no_proxy_of_ours_is(said: str, client: str) -> None:
    scope = ForwardedHeaders("", ["10.0.0.0/8"])(request({"X-Forwarded-For": said}))
    assert scope["client"][0] == client


@pytest.mark.parametrize("proto", ["https, http", "ftp", "javascript", ""])
def test_a_scheme_that_is_none_changes_nothing(proto: str) -> None:
    assert ForwardedHeaders("", [PROXY])(request({"X-Forwarded-Proto": proto}))["scheme"] == "http"


@pytest.mark.parametrize(
    ("path", "inner"),
    [
        ("/venom/v1/models", "/v1/models"),
        ("/v1/models", "/v1/models"),
        ("/venom", "/"),
        ("/venom/", "/"),
        ("/venomous/v1/models", "/venomous/v1/models"),
        ("/venom/venom/v1", "/venom/v1"),
        ("/", "/"),
    ],
)
def test_the_root_path_is_taken_off_once(path: str, inner: str) -> None:
    scope = ForwardedHeaders("/venom")(request({}, path=path))
    assert (scope["path"], scope["raw_path"]) == (inner, inner.encode())


@pytest.mark.parametrize("prefix", ["", "/venom"])
async def test_everything_answers_below_the_root_path(make_venom: MakeVenom, prefix: str) -> None:
    async with client_from(make_venom(VENOM_ROOT_PATH="/venom/"), "127.0.0.1") as client:
        for path in ("/healthz", "/v1/models", "/v1/models/m", "/api/v1/overview", "/metrics"):
            response = await client.get(prefix + path)
            assert response.status_code == 200, path
        for body in (CHAT, {**CHAT, "model": "stream", "stream": True}):
            response = await client.post(f"{prefix}/v1/chat/completions", json=body)
            assert response.status_code == 200
        wrong = await client.post(f"{prefix}/v1/chat/completions", json={**CHAT, "model": "no"})
        assert wrong.json()["error"]["code"] == "model_not_found", "OpenAI's shape"
        assert (await client.get(f"{prefix}/api/v1/nothing")).json()["code"] == "not_found"


async def test_the_documentations_links_lead_below_the_root_path(make_venom: MakeVenom) -> None:
    async with client_from(make_venom(VENOM_ROOT_PATH="/venom"), "127.0.0.1") as client:
        text = (await client.get("/venom/docs/errors")).text
        assert 'href="/venom/docs/style.css"' in text and 'href="/docs' not in text
        moved = await client.get("/venom/docs/errors.md")
        assert moved.headers["location"] == "/venom/docs/errors"


async def test_the_key_check_stands_below_the_root_path_too(make_venom: MakeVenom) -> None:
    venom = make_venom(VENOM_ROOT_PATH="/venom")
    venom.store.keys().create("laptop")
    async with client_from(venom, "127.0.0.1") as client:
        for path in ("/venom/v1/models", "/v1/models", "/venom/api/v1/audit", "/venom/metrics"):
            assert (await client.get(path)).status_code == 401, path
        for path in ("/venom//v1/models", "/venom/venom/v1/models", "/venom/./v1/models"):
            response = await client.get(path)
            assert "data" not in response.text or response.status_code != 200, path


async def test_the_host_check_takes_the_forwarded_host_of_a_trusted_proxy(
    make_venom: MakeVenom,
) -> None:
    env = {"VENOM_TRUSTED_PROXIES": PROXY, "VENOM_ALLOWED_HOSTS": "venom.example"}
    for peer, host, status in (
        (PROXY, "venom.example", 200),
        (PROXY, "evil.example", 403),
        (PROXY, "venom.example, evil.example", 403),
        ("10.0.0.8", "venom.example", 403),
        ("10.0.0.8", "localhost", 403),
    ):
        async with client_from(make_venom(**env), peer) as client:
            response = await client.get(
                "/healthz", headers={"Host": "inside", "X-Forwarded-Host": host}
            )
            assert response.status_code == status, (peer, host)


async def test_two_forwarded_hosts_are_none(make_venom: MakeVenom) -> None:
    async with client_from(make_venom(VENOM_TRUSTED_PROXIES=PROXY), PROXY) as client:
        headers = [("X-Forwarded-Host", "localhost"), ("X-Forwarded-Host", "localhost")]
        assert (await client.get("/healthz", headers=headers)).status_code == 403


async def test_behind_a_proxy_a_key_is_needed_even_before_one_exists(
    make_venom: MakeVenom,
) -> None:
    async with client_from(make_venom(VENOM_TRUSTED_PROXIES=PROXY), PROXY) as client:
        assert (await client.get("/v1/models")).status_code == 401
        assert (await client.get("/healthz")).status_code == 200


async def test_signing_in_behind_tls(make_venom: MakeVenom) -> None:
    venom = make_venom(
        VENOM_TRUSTED_PROXIES=PROXY, VENOM_ROOT_PATH="/venom", VENOM_ALLOWED_HOSTS="venom.example"
    )
    key, _ = venom.store.keys().create("laptop")
    page = {**SAID, "Origin": "https://venom.example"}
    async with client_from(venom, PROXY) as client:
        response = await client.post("/venom/api/v1/session", json={"key": key}, headers=page)
        assert response.status_code == 200
        cookie = response.headers["set-cookie"]
        assert "; Secure" in cookie and "Path=/venom;" in cookie
        foreign = {**page, "Origin": "https://evil.example"}
        again = await client.post("/venom/api/v1/session", json={"key": key}, headers=foreign)
        assert again.status_code == 403
