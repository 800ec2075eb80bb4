"""Prompts go where every surface says, and never away without being named."""

from __future__ import annotations

import base64
import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.contract.ollama.test_stored_parameters import OLLAMA
from venom_core._version import __version__
from venom_core.api.app import create_app
from venom_core.composition import Venom
from venom_core.plugins.discovery import Scan
from venom_core.plugins.host import PluginHost
from venom_core.settings.layers import Settings
from venom_core.settings.paths import Paths
from venom_core.testing.ollama import CURRENT_VERSION, FakeOllama, current_records
from venom_ollama.models import runs_at

HI = [{"role": "user", "content": "hi"}]


@contextlib.asynccontextmanager
async def client_of(url: str, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    paths = Paths.at(tmp_path)
    settings = Settings.load(paths, {"OLLAMA_HOST": url})
    venom = Venom(settings, PluginHost(settings, paths, lambda: Scan(__version__, (OLLAMA,))))
    app = create_app(venom)
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            yield client


@pytest.fixture
async def client(fake: FakeOllama, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    fake.settings(version=CURRENT_VERSION)
    async with client_of(fake.url, tmp_path) as client:
        yield client


async def ask(client: httpx.AsyncClient, headers: Any = None, **body: Any) -> httpx.Response:
    body = {"messages": HI, **body}
    return await client.post("/v1/chat/completions", json=body, headers=headers)


async def test_every_listing_says_where_a_model_runs(client: httpx.AsyncClient) -> None:
    for path, rows in (("/api/v1/models", "models"), ("/v1/models", "data")):
        told = {row["id"]: row for row in (await client.get(path)).json()[rows]}
        far, near = told["far:cloud-like"], told["smollm2:135m"]
        assert (far["locality"], far["runs_at"]) == ("remote", "127.0.0.1:18410")
        assert (near["locality"], near["runs_at"]) == ("local", None)


@pytest.mark.parametrize("stream", [True, False])
async def test_an_answer_says_where_it_is_made(client: httpx.AsyncClient, stream: bool) -> None:
    far = (await ask(client, model="far:cloud-like", stream=stream)).headers
    assert (far["venom-locality"], far["venom-runs-at"]) == ("remote", "127.0.0.1:18410")
    near = (await ask(client, model="smollm2:135m", stream=stream)).headers
    assert near["venom-locality"] == "local"
    assert "venom-runs-at" not in near


async def only(client: httpx.AsyncClient, fake: FakeOllama, *names: str) -> None:
    """Let the list hold these models alone."""
    records = current_records()
    models = [
        model
        for name in ("900_tags_capabilities_guess", "981_tags_remote")
        for model in records[name].answer.lines()[0]["models"]
    ]
    kept = {model["name"]: model for model in models if model["name"] in names}
    body = json.dumps({"models": list(kept.values())})
    fake.fault("/api/tags", "status", status=200, body=body, times=0)


async def test_no_prompt_leaves_without_a_name(client: httpx.AsyncClient, fake: FakeOllama) -> None:
    await only(client, fake, "far:cloud-like", "far-bare:latest")
    answer = await ask(client)
    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "no_model"
    assert "another machine" in answer.json()["error"]["message"]
    assert not [r for r in fake.requests() if r["path"] == "/api/chat"]
    assert (await client.get("/api/v1/overview")).json()["default_model"] is None


async def test_a_small_model_here_comes_before_a_large_one_elsewhere(
    client: httpx.AsyncClient, fake: FakeOllama
) -> None:
    await only(client, fake, "far:cloud-like", "smollm2:135m")
    answer = await ask(client)
    assert answer.headers["venom-model"] == "ollama://smollm2:135m"


@pytest.mark.parametrize(
    ("entry", "server", "host"),
    [
        ({}, None, None),
        ({}, "gpu-box:11434", "gpu-box:11434"),
        ({"remote_model": "x", "remote_host": "https://ollama.com:443"}, None, "ollama.com"),
        ({"remote_model": "x", "remote_host": "https://me:pw@h.example"}, "gpu", "h.example"),
        ({"remote_model": "x", "remote_host": "http://[broken"}, None, "another machine"),
        ({"remote_model": "x"}, None, "another machine"),
        ({"remote_host": ""}, None, "another machine"),
    ],
)
def test_hosts(entry: dict[str, Any], server: str | None, host: str | None) -> None:
    assert runs_at(entry, server) == host


async def test_the_explanation_has_the_body_that_ollama_got(
    client: httpx.AsyncClient, fake: FakeOllama
) -> None:
    answer = await ask(
        client, {"Venom-Explain": "1"}, model="smollm2:135m", max_tokens=5, temperature=0
    )
    told = json.loads(base64.b64decode(answer.headers["venom-explain"]))
    (sent,) = [r["body"] for r in fake.requests() if r["path"] == "/api/chat"]
    assert told["upstream_body"] == sent
    assert sent["options"] == {"temperature": 0, "num_predict": 5, "num_ctx": 4096}
    assert told["values"] == {"max_tokens": 5, "temperature": 0}


@pytest.mark.parametrize("name", ["SmolLM2:135M", "library/smollm2:135m",
                                  "ollama://registry.ollama.ai/library/smollm2:135m"])  # fmt: skip
async def test_other_spellings_are_answered(client: httpx.AsyncClient, name: str) -> None:
    answer = await ask(client, model=name)
    assert answer.status_code == 200
    assert answer.headers["venom-model"] == "ollama://smollm2:135m"


@pytest.mark.parametrize("name", ["smollm2:135m", "llama3.2", "ollama://smollm2:135m"])
async def test_ollama_down_from_the_start_is_no_missing_model(tmp_path: Path, name: str) -> None:
    async with client_of("http://127.0.0.1:9", tmp_path) as client:
        answer = await ask(client, model=name)
    assert answer.status_code == 503
    assert answer.json()["error"]["code"] == "ollama_down"


@pytest.mark.parametrize("stream", [True, False])
async def test_an_answer_broken_off_is_kept_with_a_word(
    client: httpx.AsyncClient, fake: FakeOllama, stream: bool
) -> None:
    body = current_records()["940_repeat_guard_chat_stream"].answer.body.decode()
    fake.fault("/api/chat", "status", status=200, body=body)
    answer = await ask(client, model="smollm2:135m", stream=stream)
    assert answer.status_code == 200
    assert '"finish_reason":"length"' in answer.text.replace('": "', '":"')
    assert "repeated" in answer.text
    assert "00000" in answer.text or stream


@pytest.mark.parametrize(
    ("names", "because"),
    [
        (("gemma3:270m", "far:cloud-like"), "the largest installed match of ollama://gemma3:*"),
        (("smollm2:135m", "far:cloud-like"), "no ollama://gemma3:* is installed; the first model"),
        (("far:cloud-like",), None),
    ],
)
async def test_a_host_that_the_settings_name_may_answer_unnamed_and_every_surface_says_so(
    fake: FakeOllama, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    names: tuple[str, ...], because: str | None,
) -> None:  # fmt: skip
    """``OLLAMA_HOST`` at another machine names that machine; what its Ollama passes on to a cloud
    is named by nobody."""
    monkeypatch.setattr("venom_ollama.provider.is_loopback", lambda url: False)
    fake.settings(version=CURRENT_VERSION)
    host = fake.url.removeprefix("http://")
    async with client_of(fake.url, tmp_path) as client:
        await only(client, fake, *names)
        answer = await ask(client)
        overview = (await client.get("/api/v1/overview")).json()
        if because is None:
            assert (answer.status_code, overview["default_model"]) == (404, None)
            return
        headers, told = answer.headers, overview["default_model_reason"]
        assert (headers["venom-locality"], headers["venom-runs-at"]) == ("remote", host)
        assert overview["default_model"] == names[0]
        for text in (headers["venom-model-reason"], told):
            assert text.startswith(because)
            assert text.endswith(f", on {host}, where the settings say that ollama is")
        polish = await client.get("/api/v1/overview", headers={"Accept-Language": "pl"})
        assert f", na {host}, gdzie" in polish.json()["default_model_reason"]
        fit = (await client.get(f"/api/v1/models/{names[0]}/fit")).json()
        assert (fit["verdict"], fit["loaded_bytes"]) == ("unknown", None)
        assert fit["message"] == f"{names[0]} runs on {host} and takes no memory of this machine."


async def test_what_the_model_sets_itself_is_told_and_what_the_request_says_wins(
    client: httpx.AsyncClient, fake: FakeOllama
) -> None:
    shown: dict[str, Any] = {"capabilities": ["completion"], "model_info": {}, "details": {}}
    shown["parameters"] = 'temperature 0.25\npresence_penalty 1.5\ntop_k 7\nstop "END"'
    fake.fault("/api/show", "status", status=200, body=json.dumps(shown), times=0)
    explain = {"Venom-Explain": "1"}
    await client.get("/api/v1/models")
    body = {"temperature": 0.9, "presence_penalty": 0}
    answer = await ask(client, explain, model="smollm2:135m", **body)
    told = json.loads(base64.b64decode(answer.headers["venom-explain"]))
    assert told["origins"] == {
        "temperature": "request", "presence_penalty": "request", "top_k": "model", "stop": "model",
    }  # fmt: skip
    assert told["values"] == {**body, "top_k": 7, "stop": ["END"]}
    options = told["upstream_body"]["options"]
    assert (options["temperature"], options["presence_penalty"]) == (0.9, 0)
    assert not {"top_k", "stop"} & set(options), "its engine applies them by itself"
    stored = {"params": {"top_k": 20}}
    await client.post("/api/v1/models/smollm2:135m/config", json=stored)
    answer = await ask(client, explain, model="smollm2:135m")
    told = json.loads(base64.b64decode(answer.headers["venom-explain"]))
    assert told["origins"] == {
        "top_k": "override", "temperature": "model", "presence_penalty": "model", "stop": "model",
    }  # fmt: skip
    assert told["values"]["top_k"] == 20
