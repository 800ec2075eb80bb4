"""Bad input: each gets a status, a code, a sentence and, where there is one, a fix."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from tests.unit.api.conftest import MakeVenom
from venom_core.testing import scripted
from venom_core.testing.scripted import Script, answer
from venom_core.testing.staging import client_of

CHAT = "/v1/chat/completions"
HI = [{"role": "user", "content": "hi"}]


@pytest.fixture(autouse=True)
def model() -> None:
    scripted.SCRIPTS["m"] = Script(answer("x"))


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({}, "messages"),
        ({"messages": []}, "messages"),
        ({"messages": "hi"}, "messages"),
        ({"messages": [{"content": "hi"}]}, "messages[0].role"),
        ({"messages": [{"role": "wizard", "content": "hi"}]}, "messages[0].role"),
        ({"messages": [{"role": "user", "content": 5}]}, "messages[0].content"),
        ({"messages": [{"role": "user", "content": [{"type": "text"}]}]}, "messages[0].content"),
        ({"messages": HI, "temperature": "hot"}, "temperature"),
        ({"messages": HI, "temperature": "0.5"}, "temperature"),
        ({"messages": HI, "temperature": 2.5}, "temperature"),
        ({"messages": HI, "temperature": True}, "temperature"),
        ({"messages": HI, "max_tokens": 0}, "max_tokens"),
        ({"messages": HI, "max_tokens": 1.5}, "max_tokens"),
        ({"messages": HI, "stream": "yes"}, "stream"),
        ({"messages": HI, "model": 5}, "model"),
        ({"messages": HI, "model": "../../etc/passwd"}, "model"),
        ({"messages": HI, "model": "a\nb"}, "model"),
        ({"messages": HI, "model": "x" * 600}, "model"),
        ({"messages": HI, "never_heard_of": 1}, "never_heard_of"),
    ],
)
async def test_a_wrong_field_is_named(
    client: httpx.AsyncClient, body: dict[str, Any], param: str
) -> None:
    response = await client.post(CHAT, json={"model": "m", **body})
    error = response.json()["error"]
    assert response.status_code == 400
    assert error["param"] is not None
    assert error["param"].startswith(param)
    assert error["type"] == "invalid_request_error"
    assert error["message"]
    assert scripted.SEEN.requests == []


@pytest.mark.parametrize(
    "raw", [b"", b"{", b"[1]", b'"x"', b"\xff\xfe", b'{"messages": [}', b"null", b'{"a":1}{"b":2}']
)
async def test_a_body_that_is_no_json_object(client: httpx.AsyncClient, raw: bytes) -> None:
    response = await client.post(CHAT, content=raw)
    assert response.status_code == 400
    assert response.json()["error"]["code"] == "invalid_request_error"


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
@pytest.mark.parametrize("field", ["temperature", "response_format", "never_heard_of"])
async def test_no_number_is_infinite(client: httpx.AsyncClient, number: str, field: str) -> None:
    value = number if field != "response_format" else f'{{"deep": [{number}]}}'
    raw = f'{{"model":"m","messages":{json.dumps(HI)},"{field}":{value}}}'
    response = await client.post(CHAT, content=raw)
    assert response.status_code == 400
    assert scripted.SEEN.requests == []
    if number != "1e999":
        assert "not JSON" in response.json()["error"]["message"]


async def test_deep_nesting_is_refused_and_not_a_crash(client: httpx.AsyncClient) -> None:
    raw = b'{"messages":' + b"[" * 30_000 + b"]" * 30_000 + b"}"
    assert (await client.post(CHAT, content=raw)).status_code == 400


@pytest.mark.parametrize("counted", [True, False])
async def test_a_50_mb_body_is_refused(client: httpx.AsyncClient, counted: bool) -> None:
    sent = 0

    async def chunks() -> Any:
        nonlocal sent
        for _ in range(50):
            sent += 1
            yield b"x" * 1024 * 1024

    content = b"x" * 50 * 1024 * 1024 if counted else chunks()
    response = await client.post(CHAT, content=content)
    assert response.status_code == 413
    assert response.json()["error"]["code"] == "request_too_large"
    assert "VENOM_MAX_BODY_BYTES" in response.json()["error"]["fix"]
    assert sent <= 18, "the body was read on after its limit"


@pytest.mark.parametrize(
    ("name", "status", "code"),
    [("nope", 404, "model_not_found"), ("scripted://nope", 404, "model_not_found"),
     ("ghost://m", 404, "provider_not_found"), ("BAD\nLINE", 400, "invalid_model_name")],
)  # fmt: skip
async def test_an_unknown_model(
    client: httpx.AsyncClient, name: str, status: int, code: str
) -> None:
    response = await client.post(CHAT, json={"model": name, "messages": HI})
    error = response.json()["error"]
    assert (response.status_code, error["code"], error["param"]) == (status, code, "model")
    assert error["fix"]


async def test_model_ids_with_slashes_and_colons(client: httpx.AsyncClient) -> None:
    for name in ("org/model:q4", "hf.co/a/b@rev", "m"):
        scripted.SCRIPTS[name] = Script(answer("x"))
    listed = [m["id"] for m in (await client.get("/v1/models")).json()["data"]]
    assert sorted(listed) == ["hf.co/a/b@rev", "m", "org/model:q4"]
    for name in [*listed, "scripted://org/model:q4", "org%2Fmodel:q4"]:
        response = await client.get(f"/v1/models/{name}")
        assert response.status_code == 200, name
        assert response.json()["owned_by"] == "scripted"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/v1/nope", 404), ("GET", "/v1/", 404), ("GET", CHAT, 405)],
)
async def test_unknown_routes_answer_in_openais_shape(
    client: httpx.AsyncClient, method: str, path: str, status: int
) -> None:
    response = await client.request(method, path)
    assert response.status_code == status
    assert set(response.json()) == {"error"}


async def test_our_own_routes_answer_in_ours(client: httpx.AsyncClient) -> None:
    response = await client.post("/api/v1/models/install", json={"name": 5})
    assert response.status_code == 422
    assert response.json()["param"] == "name"
    response = await client.get("/api/v1/models/nope/details")
    assert (response.status_code, response.json()["code"]) == (404, "model_not_found")
    assert response.json()["detail"]
    response = await client.get("/api/v1/nope")
    assert response.status_code == 404


async def test_a_fault_of_ours_shows_no_trace(
    make_venom: MakeVenom, monkeypatch: pytest.MonkeyPatch
) -> None:
    venom = make_venom()
    monkeypatch.setattr(venom.registry, "listing", None)
    async with client_of(venom) as client:
        for path in ("/v1/models", "/api/v1/models"):
            response = await client.get(path)
            assert response.status_code == 500
            assert "internal_error" in response.text
            assert "Traceback" not in response.text
            assert "NoneType" not in response.text


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("POST", "/healthz", 405), ("PUT", "/api/v1/plugins", 405), ("POST", "/nothing", 404),
     ("GET", "/api/nothing", 404), ("POST", "/docs/api", 405)],
)  # fmt: skip
async def test_a_wrong_method_or_path_is_said_in_json(
    client: httpx.AsyncClient, method: str, path: str, status: int
) -> None:
    response = await client.request(method, path)
    assert response.status_code == status
    assert response.json()["code"] in ("method_not_allowed", "not_found")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("POST", "/healthz", "GET, HEAD"),
        ("PATCH", "/api/v1/sessions/s", "GET, DELETE"),
        ("PATCH", "/api/v1/models", "GET"),
        ("PUT", "/v1/chat/completions", "POST"),
        ("DELETE", "/v1/models/a/b", "GET, HEAD"),
        ("POST", "/docs/healthz", "GET, HEAD"),
    ],
)
async def test_a_refused_method_names_every_one_that_the_path_takes(
    client: httpx.AsyncClient, method: str, path: str, allowed: str
) -> None:
    response = await client.request(method, path)
    told = response.json()
    assert (response.status_code, response.headers["allow"]) == (405, allowed)
    assert allowed in (told.get("fix") or told["error"]["message"])


async def test_what_a_refusal_names_is_what_the_routes_are(
    client: httpx.AsyncClient,
) -> None:
    """For every path of the description: what is named are its operations, HEAD aside."""
    paths = (await client.get("/openapi.json")).json()["paths"]
    for path, item in paths.items():
        declared = {name.upper() for name in item} & {"GET", "POST", "PUT", "PATCH", "DELETE"}
        other = next(name for name in ("PATCH", "PUT", "POST") if name not in declared)
        response = await client.request(other, path.replace("{", "").replace("}", ""))
        named = set(response.headers["allow"].split(", ")) - {"HEAD"}
        assert named >= declared, path
