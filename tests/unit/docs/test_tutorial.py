"""The tutorial's files, taken from its page, installed and used."""

from __future__ import annotations

import importlib
import json
import sys
import tomllib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.unit.docs.openai_server import MODEL, WORDS, OpenAIServer, openai_server
from tests.unit.docs.pages import DOCS, titled_blocks
from venom_core.api.app import create_app
from venom_core.composition import Venom

PAGE = "tutorials/your-first-provider.md"
QUESTION = [{"role": "user", "content": "What is the capital of Poland?"}]


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The package as pip would leave it: its modules, and a dist-info made from pyproject.toml."""
    blocks = titled_blocks(DOCS / PAGE)
    site = tmp_path / "site"
    for name, text in blocks.items():
        if name.endswith(".py"):
            (site / name).parent.mkdir(parents=True, exist_ok=True)
            (site / name).write_text(text, encoding="utf-8")
            (site / name).with_name("__init__.py").touch()
    project = tomllib.loads(blocks["pyproject.toml"])["project"]
    info = site / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    info.mkdir()
    metadata = [f"Name: {project['name']}", f"Version: {project['version']}"]
    metadata += [f"Requires-Dist: {requirement}" for requirement in project["dependencies"]]
    (info / "METADATA").write_text("\n".join(["Metadata-Version: 2.1", *metadata]) + "\n")
    lines = []
    for group, points in project["entry-points"].items():
        lines += [f"[{group}]", *(f"{name} = {value}" for name, value in points.items())]
    (info / "entry_points.txt").write_text("\n".join(lines) + "\n")
    monkeypatch.syspath_prepend(str(site))
    importlib.invalidate_caches()
    yield
    for name in [name for name in sys.modules if name.split(".")[0] == "venom_acme"]:
        del sys.modules[name]


@pytest.fixture
async def upstream() -> AsyncIterator[OpenAIServer]:
    async with openai_server() as server:
        yield server


@pytest.fixture
async def client(
    installed: None, upstream: OpenAIServer, tmp_path: Path
) -> AsyncIterator[httpx.AsyncClient]:
    env = {
        "VENOM_HOME": str(tmp_path / "home"),
        "VENOM_PLUGINS": "acme",
        "VENOM_ACME__URL": upstream.url,
        "VENOM_ACME__API_KEY": "secret-of-acme",
    }
    app = create_app(Venom.from_environment(env))
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            yield client


async def test_an_answer_through_venom(client: httpx.AsyncClient, upstream: OpenAIServer) -> None:
    body = {"model": f"acme://{MODEL}", "messages": QUESTION, "temperature": 0}
    answer = await client.post("/v1/chat/completions", json=body)
    assert answer.status_code == 200, answer.text
    assert answer.json()["choices"][0]["message"]["content"] == "".join(WORDS)
    assert answer.json()["model"] == f"acme://{MODEL}"
    assert answer.headers["Venom-Model"] == f"acme://{MODEL}"
    path, headers, sent = upstream.seen[-1]
    assert path == "/v1/chat/completions"
    assert headers["authorization"] == "Bearer secret-of-acme"
    assert (sent["model"], sent["temperature"]) == (MODEL, 0)


async def test_a_stream_through_venom(client: httpx.AsyncClient) -> None:
    body = {"model": MODEL, "messages": QUESTION, "stream": True}
    answer = await client.post("/v1/chat/completions", json=body)
    *chunks, done = answer.text.strip().split("\n\n")
    assert done == "data: [DONE]"
    choices = [json.loads(chunk.removeprefix("data: "))["choices"][0] for chunk in chunks]
    assert "".join(choice["delta"].get("content") or "" for choice in choices) == "".join(WORDS)
    assert choices[-1]["finish_reason"] == "stop"
    assert "/srv/" not in answer.text


async def test_its_model_is_listed(client: httpx.AsyncClient) -> None:
    models = (await client.get("/v1/models")).json()["data"]
    assert [(model["id"], model["owned_by"]) for model in models] == [(MODEL, "acme")]


async def test_what_the_page_says_of_parameters(client: httpx.AsyncClient) -> None:
    body = {"model": f"acme://{MODEL}", "messages": QUESTION, "n": 2}
    answer = await client.post("/v1/chat/completions", json=body)
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["param"]) == (
        400,
        "unsupported_parameter",
        "n",
    )


async def test_the_record_that_the_page_shows(client: httpx.AsyncClient) -> None:
    await client.get("/api/v1/overview")
    plugins = (await client.get("/api/v1/plugins")).json()["plugins"]
    record: dict[str, Any] = next(plugin for plugin in plugins if plugin["id"] == "acme")
    shown = json.loads(titled_blocks(DOCS / PAGE)["plugin"])
    assert record | {"load_ms": 0} == shown | {"load_ms": 0}


async def test_a_server_that_is_down_is_said(
    installed: None, tmp_path: Path, unused_tcp_port: int
) -> None:
    env = {
        "VENOM_HOME": str(tmp_path / "home"),
        "VENOM_PLUGINS": "acme",
        "VENOM_ACME__URL": f"http://127.0.0.1:{unused_tcp_port}",
    }
    venom = Venom.from_environment(env)
    await venom.start()
    try:
        health = await venom.host.health("acme")
        assert health.reason is not None
        assert health.reason.code == "engine_unreachable"
    finally:
        await venom.close()


def test_the_polish_page_has_the_same_files() -> None:
    assert titled_blocks(DOCS / "pl" / PAGE) == titled_blocks(DOCS / PAGE)
