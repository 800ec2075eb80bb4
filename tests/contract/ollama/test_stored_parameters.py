"""Stored generation parameters reach Ollama under its own names, through every layer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx

from venom_core._version import __version__
from venom_core.api.app import create_app
from venom_core.composition import Venom
from venom_core.plugins.discovery import Scan
from venom_core.plugins.host import PluginHost
from venom_core.settings.layers import Settings
from venom_core.settings.paths import Paths
from venom_core.testing.ollama import FakeOllama
from venom_core.testing.staging import entry

OLLAMA = entry("venom_ollama.plugin")
HI = [{"role": "user", "content": "hi"}]


def sent(fake: FakeOllama) -> dict[str, Any]:
    """The options of the last chat."""
    chats = [entry["body"] for entry in fake.requests() if entry["path"] == "/api/chat"]
    options: dict[str, Any] = chats[-1]["options"]
    return options


async def test_ollamas_own_names(fake: FakeOllama, tmp_path: Path) -> None:
    paths = Paths.at(tmp_path)
    settings = Settings.load(paths, {"OLLAMA_HOST": fake.url})
    venom = Venom(settings, PluginHost(settings, paths, lambda: Scan(__version__, (OLLAMA,))))
    app = create_app(venom)
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            listed = (await client.get("/api/v1/models")).json()
            name = listed["active"]["model"]
            assert listed["active"]["endpoint"] == fake.url
            assert listed["active"]["runtime_id"] == f"ollama@{fake.url}"
            stored = {"max_tokens": 7, "repeat_penalty": 1.3, "top_k": 5, "temperature": 0.4}
            config = f"/api/v1/models/{name}/config"
            answer = await client.post(config, json={"params": stored})
            assert answer.status_code == 200, answer.text
            # What the fake answers does not matter: no record has these options.
            await client.post("/v1/chat/completions", json={"messages": HI, "temperature": 1})
            options = sent(fake)
            assert options["num_predict"] == 7
            assert (options["repeat_penalty"], options["top_k"]) == (1.3, 5)
            assert options["temperature"] == 1, "the request's word"
            await client.post(config, json={"params": {}})
            await client.post("/v1/chat/completions", json={"model": name, "messages": HI})
            options = sent(fake)
            assert options.keys().isdisjoint({"num_predict", "repeat_penalty"})
            assert "top_k" not in options, "the model's own, which Ollama applies by itself"
            capabilities = (await client.get(f"/api/v1/models/{name}/capabilities")).json()
            assert "{{" in capabilities["capabilities"]["prompt_template"]
