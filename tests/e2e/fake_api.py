"""A small server for the page's tests: the exported page under the strict policy, a scripted API.

It answers what the page asks of Venom, in Venom's shapes, with what each test needs: no model,
a slow answer, an error in mid-stream, a key that is missing. Run it by hand to look at the page:

    python tests/e2e/fake_api.py --scenario empty --port 8399
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import contextlib
import hashlib
import json
import mimetypes
import re
import socket
import threading
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import scenarios
import uvicorn
from fake_answers import FakeAnswers
from fake_sessions import FakeSessions
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

ROOT = Path(__file__).resolve().parents[2]
EXPORTS = (ROOT / "web" / "out", ROOT / "venom_core" / "ui" / "static")
POLICY = (
    "default-src 'self'; script-src 'self'{hashes}; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
)
INLINE_SCRIPT = re.compile(rb"<script(?![^>]*\ssrc=)[^>]*>(.*?)</script>", re.DOTALL)
NOT_BUILT = (
    "The page was not built. Run `npm ci && npm run build` in web/, then run the tests again."
)

Event = dict[str, Any] | str


def export_folder() -> Path:
    """The exported page; a built one in web/out is newer than a copied one."""
    for folder in EXPORTS:
        if (folder / "index.html").is_file():
            return folder
    raise FileNotFoundError(NOT_BUILT)


def policy_for(page: bytes) -> str:
    """The content security policy of one page: its inline scripts by hash, and nothing else."""
    hashes = {
        base64.b64encode(hashlib.sha256(script).digest()).decode()
        for script in INLINE_SCRIPT.findall(page)
    }
    return POLICY.format(hashes="".join(f" 'sha256-{value}'" for value in sorted(hashes)))


@dataclass
class FakeVenom:
    """Answers of the server, and the requests to it. Tests change and read it freely."""

    scenario: scenarios.Scenario = field(default_factory=scenarios.ready)
    key: str | None = None
    #: The cookie of whoever signed in with the key.
    session: str = "token-of-a-session"
    #: Seconds between two events of a stream.
    pace: float = 0.01
    chats: list[dict[str, Any]] = field(default_factory=list)
    pulls: list[str] = field(default_factory=list)
    theme: str = "system"
    #: Comments before the first event, for a client that asks for its place in the queue.
    places: list[str] = field(default_factory=list)
    #: The language that each request to the API asked for.
    languages: list[str] = field(default_factory=list)
    #: Streams that the client closed before their end.
    aborted: int = 0
    #: The install under way, its last state, and how many were cancelled.
    installing: Iterator[dict[str, Any]] | None = None
    operation_shown: dict[str, Any] = field(default_factory=dict)
    cancelled: int = 0
    sessions: FakeSessions = field(default_factory=FakeSessions)
    url: str = ""

    def __post_init__(self) -> None:
        answers = FakeAnswers(self)
        self.sessions.answers, self.sessions.under_way = answers.answer, answers.under_way

    def refusal(self, request: Request) -> JSONResponse | None:
        """401 in the shape of the route's family, where a key is needed and nobody signed in."""
        if self.key is None or request.cookies.get("venom_session") == self.session:
            return None
        return self._refused(request)

    @staticmethod
    def _refused(request: Request) -> JSONResponse:
        message = "This server needs an API key."
        fix = "Send it as 'Authorization: Bearer KEY'; make one with: venom keys create NAME"
        if request.url.path.startswith("/v1"):
            error = {"message": message, "type": "authentication_error", "param": None}
            body: dict[str, Any] = {"error": {**error, "code": "invalid_api_key", "fix": fix}}
        else:
            body = {"detail": message, "code": "invalid_api_key", "fix": fix, "docs": None}
        return JSONResponse(body, status_code=401)

    async def sign_in(self, request: Request) -> Response:
        if (await request.json())["key"] != self.key:
            return self._refused(request)
        response = JSONResponse(self._sign_in_state(signed_in=True))
        cookie = f"venom_session={self.session}; Path=/; HttpOnly; SameSite=Strict"
        response.headers["Set-Cookie"] = cookie
        return response

    async def sign_in_state(self, request: Request) -> Response:
        return JSONResponse(self._sign_in_state(signed_in=self.refusal(request) is None))

    def _sign_in_state(self, *, signed_in: bool) -> dict[str, Any]:
        key_id = f"id-of-{self.key}" if signed_in and self.key else None
        return {"success": True, "signed_in": signed_in, "key_id": key_id, "scopes": None}

    async def sign_out(self, request: Request) -> Response:
        self.session += "-anew"
        return JSONResponse({"success": True, "signed_in": False})

    async def overview(self, request: Request) -> Response:
        self.languages.append(request.headers["accept-language"])
        page = {"key_required": self.key is not None, "theme": self.theme}
        body = {**self.scenario.overview, **page}
        return self.refusal(request) or JSONResponse(body)

    async def models(self, request: Request) -> Response:
        models = self.scenario.models
        return self.refusal(request) or JSONResponse(
            {"success": True, "count": len(models), "models": models, "providers": {}, "stale": []}
        )

    async def loaded(self, request: Request) -> Response:
        nothing = {"success": True, "count": 0, "models": []}
        return self.refusal(request) or JSONResponse(nothing)

    async def fit(self, request: Request) -> Response:
        """Nothing is known of the memory that a model would take."""
        body = {"success": True, "verdict": "unknown", "context_length": None}
        return self.refusal(request) or JSONResponse(body)

    async def plugins(self, request: Request) -> Response:
        return self.refusal(request) or JSONResponse({"plugins": scenarios.PLUGINS})

    async def available(self, request: Request) -> Response:
        nothing: dict[str, list[str]] = {"plugins": [], "environments": []}
        return self.refusal(request) or JSONResponse(nothing)

    async def engines(self, request: Request) -> Response:
        nothing = {"success": True, "count": 0, "engines": [], "providers": [], "servers": []}
        return self.refusal(request) or JSONResponse(nothing)

    async def chat(self, request: Request) -> Response:
        if refused := self.refusal(request):
            return refused
        body = await request.json()
        self.chats.append(body)
        prompt = body["messages"][-1]["content"]
        if error := scenarios.ERRORS.get(prompt):
            lang = request.headers["accept-language"]
            return JSONResponse({"error": error}, 400, {"Content-Language": lang})
        events = scenarios.answer(prompt, body.get("model") or "default")
        if request.headers.get("venom-queue") == "1":
            events = [*self.places, *events]
        return self._stream(
            events,
            {"Venom-Model": self.scenario.resolved(body.get("model"))},
        )

    async def install(self, request: Request) -> Response:
        if refused := self.refusal(request):
            return refused
        name = (await request.json())["name"]
        self.pulls.append(name)
        self.installing = self.scenario.pull(name)
        return JSONResponse({"success": True, "operation_id": "1", "model_name": name})

    async def operations(self, request: Request) -> Response:
        nothing = {"success": True, "operations": [], "count": 0}
        return self.refusal(request) or JSONResponse(nothing)

    async def operation(self, request: Request) -> Response:
        """One step further each time it is asked for, as time goes on for a real one."""
        if self.installing is not None:
            self.operation_shown = next(self.installing, self.operation_shown)
        shown = {"operation_id": "1", "operation_type": "install", "model_name": self.pulls[-1]}
        return JSONResponse({"success": True, "operation": {**shown, **self.operation_shown}})

    async def cancel(self, _: Request) -> Response:
        self.cancelled += 1
        self.installing, self.operation_shown = None, {"status": "cancelled"}
        return JSONResponse({"success": True})

    async def events(self, request: Request) -> Response:
        """A feed on which nothing happens."""

        async def silence() -> AsyncIterator[str]:
            yield ": watching\n\n"
            while True:
                await asyncio.sleep(15)
                yield ": ping\n\n"

        return self.refusal(request) or StreamingResponse(silence(), media_type="text/event-stream")

    async def conversations(self, request: Request) -> Response:
        """Those of the key that signed in."""
        return self.refusal(request) or await self.sessions.answer(request, self.key or "")

    def _stream(self, events: list[Event], headers: dict[str, str]) -> StreamingResponse:
        async def send() -> AsyncIterator[str]:
            finished = False
            try:
                for event in events:
                    await asyncio.sleep(self.pace)
                    told = event if isinstance(event, str) else json.dumps(event)
                    yield f"{told}\n\n" if told.startswith(":") else f"data: {told}\n\n"
                finished = True
            finally:
                self.aborted += not finished

        return StreamingResponse(
            send(),
            media_type="text/event-stream; charset=utf-8",
            headers={"Cache-Control": "no-cache", **headers},
        )


def page_routes(folder: Path) -> list[Route]:
    """A route for each exported file, as the real mount has them: `/plugins` is plugins.html."""
    routes = []
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        name = "/" + file.relative_to(folder).as_posix()
        content = file.read_bytes()
        headers = {"Content-Type": mimetypes.guess_type(name)[0] or "application/octet-stream"}
        if name.endswith(".html"):
            headers["Content-Security-Policy"] = policy_for(content)
            if name == "/index.html":
                routes.append(Route("/c/{id}", _file(content, headers)))
            name = "/" if name == "/index.html" else name.removesuffix(".html")
        routes.append(Route(name, _file(content, headers)))
    return routes


def _file(content: bytes, headers: dict[str, str]) -> Any:
    async def serve(_: Request) -> Response:
        return Response(content, headers=headers)

    return serve


def make_app(fake: FakeVenom, folder: Path) -> Starlette:
    missing = (folder / "404.html").read_bytes()

    async def not_found(request: Request, _: Exception) -> Response:
        headers = {"Content-Security-Policy": policy_for(missing)}
        return Response(missing, 404, headers=headers, media_type="text/html")

    return Starlette(
        routes=[
            Route("/api/v1/session", fake.sign_in, methods=["POST"]),
            Route("/api/v1/session", fake.sign_in_state, methods=["GET"]),
            Route("/api/v1/session", fake.sign_out, methods=["DELETE"]),
            Route("/api/v1/sessions", fake.conversations),
            Route(
                "/api/v1/sessions/{path:path}",
                fake.conversations,
                methods=["GET", "POST", "DELETE"],
            ),
            Route("/api/v1/overview", fake.overview),
            Route("/api/v1/events", fake.events),
            Route("/api/v1/models", fake.models),
            Route("/api/v1/plugins", fake.plugins),
            Route("/api/v1/plugins/available", fake.available),
            Route("/api/v1/engines", fake.engines),
            Route("/api/v1/models/install", fake.install, methods=["POST"]),
            Route("/api/v1/models/loaded", fake.loaded),
            Route("/api/v1/models/{name:path}/fit", fake.fit),
            Route("/api/v1/models/operations", fake.operations),
            Route("/api/v1/models/operations/1", fake.operation),
            Route("/api/v1/models/operations/1/cancel", fake.cancel, methods=["POST"]),
            Route("/v1/chat/completions", fake.chat, methods=["POST"]),
            *page_routes(folder),
        ],
        exception_handlers={404: not_found},
    )


class RunningFake:
    """The server in a thread of its own, on a free loopback port; a context manager."""

    def __init__(self, fake: FakeVenom, port: int = 0) -> None:
        # asyncio sends small answers at once (TCP_NODELAY) over a socket that says it is TCP.
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._socket.bind(("127.0.0.1", port))
        fake.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        config = uvicorn.Config(
            make_app(fake, export_folder()), log_level="warning", lifespan="off"
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        asyncio.run(self._server.serve(sockets=[self._socket]))

    def __enter__(self) -> Self:
        self._thread.start()
        deadline = time.monotonic() + 10
        while not self._server.started:
            if time.monotonic() > deadline or not self._thread.is_alive():
                raise RuntimeError("the fake server did not start within 10 seconds")
            time.sleep(0.01)
        return self

    def wait(self) -> None:
        """Until the server stops."""
        self._thread.join()

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = self._server.force_exit = True
        self._thread.join(timeout=10)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8399)
    parser.add_argument("--scenario", choices=sorted(scenarios.SCENARIOS), default="ready")
    parser.add_argument("--key", help="ask for this API key")
    parser.add_argument("--pace", type=float, default=0.03, help="seconds between two events")
    args = parser.parse_args()
    fake = FakeVenom(scenarios.SCENARIOS[args.scenario](), key=args.key, pace=args.pace)
    with RunningFake(fake, args.port) as running:
        print(f"{fake.url}  (Ctrl-C stops it)", flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            running.wait()


if __name__ == "__main__":
    main()
