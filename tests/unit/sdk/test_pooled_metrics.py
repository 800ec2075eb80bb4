"""Metrics of pooled engines: asked with their key, all at once, never for long. The engine is a
script."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from pathlib import Path

import pytest

from venom_core.sdk import pooled_engine as module
from venom_core.sdk.engine import EngineCommand
from venom_core.sdk.openai_engine import Endpoint
from venom_core.sdk.pooled_engine import PooledEngineProvider
from venom_core.sdk.provider import EngineMetrics, Model, ProviderContext
from venom_core.sdk.spec import Capability, ProviderSpec
from venom_core.testing.deadlines import patience

ENGINE = """
import http.server, os, sys, time
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        known = self.headers["Authorization"] == "Bearer " + os.environ["VENOM_ENGINE_KEY"]
        word = sys.argv[1] if self.path == "/told" else "ready"
        if word == "hangs":
            time.sleep(600)
        size = 1 << 20 if word == "babbles" else 1
        lines = ["# HELP acme:a x", "# TYPE acme:a gauge", "acme:a 1", "python_b 2", "# x"]
        body = ("\\n".join(lines) + "\\n").encode() * size
        self.send_response(500 if word == "fails" else 200 if known else 401)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_):
        pass
port = int(os.environ["VENOM_ENGINE_PORT"])
http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()
"""
TOLD = b"# HELP acme:a x\n# TYPE acme:a gauge\nacme:a 1\n"


class Pooled(PooledEngineProvider):
    """Starts the script; the model's name says how it answers."""

    metrics_path: str | None = "/told"
    metrics_names = "acme:"

    def look_for_engine(self) -> None:
        return None

    async def models(self) -> Sequence[Model]:
        return []

    @contextlib.asynccontextmanager
    async def lease(self, ref: str) -> AsyncGenerator[Endpoint, None]:
        place = self.context.data_dir / ref
        command = EngineCommand(
            name=ref,
            args=("-c", ENGINE, ref),
            model=ref,
            log_file=place.with_suffix(".log"),
            pid_file=place.with_suffix(".pid"),
            stop_timeout=1.0,
        )
        async with self.running(ref, lambda: command, None, 0) as endpoint:
            yield endpoint


@pytest.fixture
async def provider(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Pooled]:
    monkeypatch.setattr(module, "METRICS_SECONDS", patience(module.METRICS_SECONDS))
    spec = ProviderSpec("acme", "Acme", "x", "x:X", frozenset(Capability))
    context = ProviderContext(spec, {}, tmp_path, tmp_path, logging.getLogger("acme"))
    provider = Pooled(context, max_loaded=9, keep_alive=-1)
    yield provider
    await provider.close()


async def test_every_engine_that_answers_tells_what_is_of_its_names(provider: Pooled) -> None:
    assert await provider.metrics() == []
    refs = ("one", "hangs", "fails", "babbles", "two")
    await asyncio.gather(*map(provider.load, refs))
    assert await provider.metrics() == [EngineMetrics("one", TOLD), EngineMetrics("two", TOLD)]
    await provider.unload("one")
    assert await provider.metrics() == [EngineMetrics("two", TOLD)]


async def test_an_engine_that_has_none_is_not_asked(provider: Pooled) -> None:
    await provider.load("one")
    provider.metrics_path = None
    assert await provider.metrics() == ()
