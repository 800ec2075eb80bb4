"""Generation parameters and capabilities over HTTP, and that every path sends them."""

from __future__ import annotations

import base64
import json
from typing import Any

import httpx
import pytest

from venom_core.sdk.provider import Model
from venom_core.testing import scripted
from venom_core.testing.scripted import Script, answer

HI = [{"role": "user", "content": "hi"}]
OWN = {"temperature": 0.3, "stop": ["\n"]}
CONFIG = "/api/v1/models/org/m/config"


@pytest.fixture(autouse=True)
def model() -> None:
    known = Model(
        "org/m", "folder", capabilities=frozenset({"chat", "completion", "tools"}),
        context_length=4096, quantization="Q4_K_M", allowed_roles=("user", "assistant"),
        defaults=OWN, prompt_template="{{ messages }}",
    )  # fmt: skip
    scripted.SCRIPTS["org/m"] = Script(answer("x"), known)
    scripted.SCRIPTS["plain"] = Script(answer("x"))


async def test_capabilities_are_read_from_the_model(client: httpx.AsyncClient) -> None:
    told = (await client.get("/api/v1/models/org/m/capabilities")).json()
    assert told["success"] is True
    assert told["model_name"] == "org/m"
    schema = told["capabilities"].pop("generation_schema")
    assert told["capabilities"] == {
        "supports_system_role": False, "supports_function_calling": True,
        "supports_images": False, "supports_response_format": False,
        "allowed_roles": ["user", "assistant"], "prompt_template": "{{ messages }}",
        "max_context_length": 4096, "quantization": "Q4_K_M",
    }  # fmt: skip
    assert schema["max_tokens"]["max"] == 4096
    plain = (await client.get("/api/v1/models/plain/capabilities")).json()["capabilities"]
    told_by_provider = ("generation_schema", "supports_response_format")
    assert {value for name, value in plain.items() if name not in told_by_provider} == {None}


async def test_three_views(client: httpx.AsyncClient) -> None:
    first = (await client.get(CONFIG)).json()
    assert first["runtime"] == "scripted"
    assert first["current_values"] == {"temperature": 0.3, "max_tokens": 2048, "stop": ["\n"]}
    assert (first["saved"], first["effective"]) == ({}, OWN)
    saved = await client.post(CONFIG, json={"params": {"temperature": 0.9, "max_tokens": 5}})
    assert saved.json()["params"] == {"temperature": 0.9, "max_tokens": 5}
    later = (await client.get(CONFIG, params={"runtime": "scripted"})).json()
    assert later["effective"] == {"temperature": 0.9, "max_tokens": 5, "stop": ["\n"]}
    assert later["origins"] == {
        "temperature": "override", "max_tokens": "override", "stop": "model"
    }  # fmt: skip
    assert later["default"]["temperature"] == 0.3
    emptied = await client.post(CONFIG, json={})
    assert emptied.json()["params"] == {}
    assert (await client.get(CONFIG)).json()["saved"] == {}


@pytest.mark.parametrize(("path", "wire"), [
    ("/v1/chat/completions", {"messages": HI}), ("/v1/completions", {"prompt": "hi"}),
])  # fmt: skip
async def test_what_is_stored_is_sent_where_the_request_is_silent(
    client: httpx.AsyncClient, path: str, wire: dict[str, Any]
) -> None:
    await client.post(CONFIG, json={"params": {"temperature": 0.9, "max_tokens": 5}})
    for asked, sent in (({}, 0.9), ({"temperature": 0}, 0), ({"temperature": None}, 0.9)):
        response = await client.post(
            path, json={"model": "org/m", **wire, **asked}, headers={"Venom-Explain": "1"}
        )
        assert response.status_code == 200, response.text
        body = scripted.SEEN.requests[-1].body
        assert (body["temperature"], body["max_tokens"]) == (sent, 5)
        told = json.loads(base64.b64decode(response.headers["venom-explain"]))
        assert told["origins"]["max_tokens"] == "override"
        assert told["origins"]["temperature"] == ("request" if sent == 0 else "override")


async def test_defaults_that_are_shown_are_never_sent(client: httpx.AsyncClient) -> None:
    await client.get("/api/v1/models/plain/config")
    await client.post("/v1/chat/completions", json={"model": "plain", "messages": HI})
    assert set(scripted.SEEN.requests[-1].body) == {"model", "messages", "stream"}


@pytest.mark.parametrize(("params", "sentences"), [
    ('{"temperature": NaN}', 1), ('{"temperature": Infinity}', 1), ('{"temperature": "hot"}', 1),
    ('{"temperature": 2.5, "max_tokens": 5000, "nonsense": 1}', 3), ('{"top_k": 5}', 1),
    ('{"max_tokens": 1.5}', 1), ('{"stop": [[]]}', 1),
])  # fmt: skip
async def test_bad_parameters_get_a_sentence_each(
    client: httpx.AsyncClient, params: str, sentences: int
) -> None:
    await client.post(CONFIG, json={"params": {"max_tokens": 7}})
    refused = await client.post(
        CONFIG,
        content=f'{{"params": {params}}}'.encode(),  # NaN is what json= would not send
        headers={"Content-Type": "application/json"},
    )
    body = refused.json()
    assert (refused.status_code, body["code"]) == (400, "invalid_parameters"), body
    assert body["detail"].count("must be") + body["detail"].count("takes no") == sentences
    assert body["detail"].endswith(".")
    assert body["fix"]
    assert (await client.get(CONFIG)).json()["saved"] == {"max_tokens": 7}


async def test_a_refusal_in_polish(client: httpx.AsyncClient) -> None:
    refused = await client.post(
        CONFIG,
        json={"params": {"temperature": 3, "max_tokens": 0}},
        headers={"Accept-Language": "pl"},
    )
    assert refused.json()["detail"] == (
        "temperature: ma być liczba od 0 do 2, nie 3. "
        "max_tokens: ma być liczba całkowita od 1 do 4096, nie 0."
    )


@pytest.mark.parametrize(("method", "path", "body", "status"), [
    ("GET", "ghost/config", None, 404), ("GET", "ghost/capabilities", None, 404),
    ("POST", "ghost/config", {"params": {}}, 404), ("POST", "org/m/config", {"params": []}, 422),
    ("POST", "org/m/config", {"parameters": {}}, 422), ("GET", "org/m/config?runtime=", None, 422),
    ("GET", "org/m/config?runtime=vllm", None, 400), ("GET", "..%2Fm/config", None, 400),
    ("POST", "org/m/config", {"runtime": "vllm", "params": {}}, 400),
])  # fmt: skip
async def test_refusals(
    client: httpx.AsyncClient, method: str, path: str, body: Any, status: int
) -> None:
    refused = await client.request(method, f"/api/v1/models/{path}", json=body)
    assert refused.status_code == status, refused.text
    assert refused.json()["code"]


async def test_every_name_reaches_its_config(client: httpx.AsyncClient) -> None:
    """Names that look like routes are still names."""
    for name in ("a/b", "a:b", "org/model@rev", "registry/x", "x/config", "x/unload", "usage/x"):
        scripted.SCRIPTS[name] = Script(answer("x"))
        for asked in (name, f"scripted://{name}"):
            told = await client.get(f"/api/v1/models/{asked}/config")
            assert (told.status_code, told.json()["model_name"]) == (200, name)
