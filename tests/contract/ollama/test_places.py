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
