"""Records the API's examples: the calls of the table against the application, which is real down to
its providers; the engine plays scripts, and the Hub is a fake."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tests.contract.api_v1.calls import CALLS, KEY, KEY_ID, OPERATION, REFUSALS, Call
from tests.contract.api_v1.played_llamacpp import ENTRY
from tests.contract.api_v1.settling import HOME, PIECES, Settling, cut
from venom_core.api.app import create_app
from venom_core.models import operations
from venom_core.sdk.provider import BuildProgress, Model, PullProgress
from venom_core.settings.layers import Settings
from venom_core.settings.paths import Paths
from venom_core.testing import scripted
from venom_core.testing.deadlines import patience, within
from venom_core.testing.hub import FakeHub
from venom_core.testing.scripted import Pause, Script, say
from venom_core.testing.staging import BASE_URL, entry, venom_over

ROOT = Path(__file__).parents[3]
HUB = entry("venom_hf.plugin")
PAPER = {
    "paper": {"id": "2611.00001", "title": "Small models", "summary": "They work.", "authors": []},
    "title": "Small models",
    "publishedAt": "2026-11-02T00:00:00.000Z",
}
Examples = dict[str, Any]


async def record(folder: Path) -> Examples:
    """Run every call and return the examples: of each operation its examples by name, and under
    ``refusals`` one of each shape. Raises ``AssertionError`` for another status than the call's."""
    examples: Examples = {"operations": {}, "refusals": {}}
    async with _application(folder) as runner:
        for shape, call in REFUSALS.items():
            refused = await runner.run(call)
            examples["refusals"][shape] = {key: refused[key] for key in ("status", "answer")}
        for call in CALLS:
            found = examples["operations"].setdefault(call.operation, {})
            assert call.name not in found, f"two calls of {call.operation} are {call.name}"
            found[call.name] = await runner.run(call)
    return {
        "operations": dict(sorted(examples["operations"].items())),
        "refusals": examples["refusals"],
    }


@asynccontextmanager
async def _application(folder: Path) -> AsyncIterator[_Runner]:
    scripted.reset()
    _set_scene(folder)
    # Every step of an install is stored at once, so that nobody waits to see it.
    saved, operations.SAVE_SECONDS = operations.SAVE_SECONDS, 0.0
    try:
        with FakeHub() as hub:
            hub.add("org/tiny-GGUF", {"tiny-Q4_K_M.gguf": b"GGUF"}, tags=["gguf"])
            hub.papers = [PAPER]
            env = {"HF_ENDPOINT": hub.url, "HF_HUB_CACHE": str(folder / "hub")}
            venom = venom_over(Settings.load(Paths.at(folder / "home"), env), (ENTRY, HUB))
            key, made = venom.store.keys().create("laptop")
            app = create_app(venom)
            transport = httpx.ASGITransport(_LeavesStreams(app), raise_app_exceptions=False)
            async with (
                app.router.lifespan_context(app),
                httpx.AsyncClient(
                    transport=transport,
                    base_url=BASE_URL,
                    headers={"Authorization": f"Bearer {key}"},
                    timeout=patience(30),
                ) as client,
            ):
                known = {
                    key: "KEY",
                    made.id: "1a2b3c4d",
                    hub.url: "https://huggingface.co",
                    str(folder / "home"): HOME,
                    str(folder): HOME,
                    str(ROOT): "/opt/venom",
                }
                brought = {KEY: key, KEY_ID: made.id}
                yield _Runner(client, routes_of(app.openapi()), Settling(known), brought)
    finally:
        operations.SAVE_SECONDS = saved
        scripted.reset()


def _set_scene(folder: Path) -> None:
    """Put there what the calls ask for."""
    size = 270_590_880
    for name in ("smollm2:135m", "gone", "away"):
        model = Model(
            name,
            "file",
            frozenset({"chat", "completion"}),
            "SmolLM2 135M",
            size_bytes=size,
            quantization="Q8_0",
            context_length=8192,
            languages=("pl", "en"),
        )
        scripted.SCRIPTS[name] = Script(say("Hello", " there"), model)
    scripted.SCRIPTS["bge-small"] = Script(
        say(), Model("bge-small", "file", frozenset({"embedding"}))
    )
    scripted.SCRIPTS["bge-reranker"] = Script(
        say(), Model("bge-reranker", "file", frozenset({"rerank"}))
    )
    source = folder / "gemma3"
    source.mkdir()
    scripted.SCRIPTS["gemma3"] = Script(say("Hi"), Model("gemma3", "folder", location=source))
    scripted.BUILDS["llamacpp://gemma3"] = [BuildProgress("completed", "It is built", 100)]
    scripted.PULLS["smollm2:135m"] = [PullProgress("completed", "It is ready", size, size)]
    begun = PullProgress("pulling", "Fetching qwen3:8b", 1_000_000_000, 5_200_000_000)
    scripted.PULLS["qwen3:8b"] = [begun, Pause(forever=True)]


class _Runner:
    """Runs calls, each with what those before it have brought."""

    def __init__(
        self,
        client: httpx.AsyncClient,
        routes: Mapping[str, tuple[str, str]],
        settling: Settling,
        brought: dict[str, str],
    ) -> None:
        self._client = client
        self._routes = routes
        self._settling = settling
        self._brought = brought

    async def run(self, call: Call) -> dict[str, Any]:
        """Return the example of a call."""
        if call.once:
            await within(self._reached(call), 30)
        method, path = self._routes[call.operation]
        for name, value in call.path.items():
            filled = quote(self._filled(value), safe="")
            path = path.replace(f"{{{name}}}", filled)
        request = self._client.build_request(
            method,
            path,
            params=self._filled(call.query),
            json=None if call.body is None else self._filled(call.body),
            headers=call.headers,
        )
        response = await within(self._client.send(request), 30)
        kind = response.headers.get("content-type", "").partition(";")[0]
        text = response.text
        assert response.status_code == call.status, f"{call}: {response.status_code} {text}"
        return self._example(call, response, kind, text)

    def _example(
        self, call: Call, response: httpx.Response, kind: str, text: str
    ) -> dict[str, Any]:
        asked = {
            "summary": call.summary,
            "path": call.path,
            "query": call.query,
            "body": call.body,
        }
        filled = {name: self._filled(value) for name, value in asked.items() if value}
        example = {name: self._settling.value(value) for name, value in filled.items()}
        answer: Any
        if kind == "application/json":
            answer = json.loads(text)
            self._brought[OPERATION] = answer.get("operation_id", self._brought.get(OPERATION, ""))
            for name, (place, shown) in call.brings.items():
                self._brought[name] = str(_at(answer, place))
                self._settling.know(self._brought[name], shown)
            answer = cut(self._settling.value(answer), call.emptied, call.first)
        elif kind == "text/event-stream":
            answer = self._settling.stream(text)
        elif kind == "text/csv":
            answer = self._settling.table(text)
        else:
            answer = "".join(self._settling.text(text).splitlines(keepends=True)[: 2 * PIECES])
        return {**example, "status": call.status, "type": kind, "answer": answer}

    def _filled(self, value: Any) -> Any:
        """Return a part of a request with what was brought in the place of its name."""
        if isinstance(value, Mapping):
            return {name: self._filled(one) for name, one in value.items()}
        return self._brought.get(value, value) if isinstance(value, str) else value

    async def _reached(self, call: Call) -> None:
        benchmark = call.path.get("benchmark_id")
        path = f"/api/v1/models/operations/{self._brought.get(OPERATION)}"
        if benchmark is not None:
            path = f"/api/v1/benchmark/{self._filled(benchmark)}/status"
        while True:
            answer = (await self._client.get(path)).json()
            if answer["operation" if benchmark is None else "benchmark"]["status"] == call.once:
                return
            await asyncio.sleep(0.01)


def _at(answer: Any, place: str) -> Any:
    """Return the value at a place of an answer."""
    for part in place.split("."):
        answer = answer[int(part)] if part.isdigit() else answer[part]
    return answer


class _LeavesStreams:
    """The application to a client that leaves a stream once it has the events that are shown."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        events, enough, is_ended = 0, asyncio.Event(), False
        is_received = False

        async def received() -> Message:
            nonlocal is_received
            if is_received:
                await enough.wait()
                return {"type": "http.disconnect"}
            message = await receive()
            is_received = not message.get("more_body")
            return message

        async def sent(message: Message) -> None:
            nonlocal events, is_ended
            is_ended = message["type"] == "http.response.body" and not message.get("more_body")
            events += message.get("body", b"").count(b"\n\n")
            await send(message)
            if events >= PIECES:
                enough.set()

        await self._app(scope, received, sent)
        if not is_ended:
            await send({"type": "http.response.body", "body": b""})


def routes_of(document: Mapping[str, Any]) -> dict[str, tuple[str, str]]:
    """Return method and path of each operation by its id."""
    return {
        operation["operationId"]: (method.upper(), path)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }
