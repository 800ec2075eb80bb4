"""Puts a Python engine behind the OpenAI wire, in a process of its own.

An author writes a :class:`~venom_core.sdk.served_engine.ServedEngine` and starts it with
:func:`server_args`; any client of the OpenAI wire can ask it then, so
:class:`~venom_core.sdk.openai_engine.OpenAIEngineProvider` can::

    EngineCommand(..., args=server_args("acme.engine:AcmeEngine"),
                  env=server_environment({"path": "/models/a"}), explain=load_refusal)

It serves ``/v1/models``, ``/v1/chat/completions``, ``/v1/completions``, ``/v1/embeddings`` and
``/health``, each with the key that Venom made for this start. Standard library only, over
``http.server``: the engine's interpreter need not have anything of Venom's installed, and a thread
for each connection is what a blocking engine needs.
"""

from __future__ import annotations

import contextlib
import hmac
import json
import os
import signal
import socket
import sys
import threading
import time
import traceback
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from venom_core.sdk import bounded_json, engine_requests
from venom_core.sdk.engine_answers import Envelope, Piece, error_body, line
from venom_core.sdk.engine_turns import ClientGone, Turns
from venom_core.sdk.engine_work import Overflow, Work
from venom_core.sdk.errors import (
    InvalidApiKey,
    InvalidRequest,
    ModelLoading,
    ModelNotFound,
    NotFound,
    RequestTooLarge,
    UpstreamError,
    VenomError,
    restored,
)
from venom_core.sdk.request_ids import HEADER, harmless
from venom_core.sdk.served_engine import ServedEngine
from venom_core.sdk.utc import utc_text

HOST = "127.0.0.1"
PORT_VARIABLE, KEY_VARIABLE = "VENOM_ENGINE_PORT", "VENOM_ENGINE_KEY"
CONFIG_VARIABLE = "VENOM_ENGINE_CONFIG"
CHILD = Path(__file__).with_name("engine_child.py")
#: Before the refusal with which a load failed, in the log.
REFUSAL = "venom-engine-refusal: "
MOST_BODY = 32 * 1024 * 1024
MOST_CONNECTIONS = 128
MOST_WAITING = 64
#: Seconds for a request's bytes, and for an idle connection: longer than a client keeps its own.
PATIENCE = 30.0
#: Seconds that answers have to end of themselves once the engine is told to stop.
DRAIN = 2.0


def server_args(target: str) -> tuple[str, ...]:
    """Return what follows the interpreter to serve ``module:Class``.

    The interpreter may be another one than ours: it then finds ``venom_core`` and the module's own
    top package where they are here, and nothing else of our environment.
    """
    top = target.partition(":")[0].partition(".")[0]
    spec = find_spec(top)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"there is no module {top!r}", name=top)
    return (str(CHILD), target, spec.origin)


def server_environment(config: Mapping[str, Any]) -> dict[str, str]:
    """Return the variable in which the engine's class finds its configuration, JSON values."""
    return {CONFIG_VARIABLE: json.dumps(config)}


def load_refusal(lines: Sequence[str]) -> VenomError | None:
    """Return the refusal with which an engine's ``load`` ended, from the last lines of its log."""
    for text in reversed(lines):
        if text.startswith(REFUSAL):
            with contextlib.suppress(ValueError, TypeError, AttributeError):
                return restored(bounded_json.loads(text.removeprefix(REFUSAL).encode(), 100))
    return None


class EngineServer:
    """One engine on one port. ``most_waiting``: requests that may wait for their turn."""

    def __init__(
        self, engine: ServedEngine, port: int, key: str, *, most_waiting: int = MOST_WAITING
    ) -> None:
        self.engine = engine
        self.ready = False
        self._key = key.encode()
        self._turns: Turns | None = None
        self._most_waiting = most_waiting
        self._http = _Server((HOST, port), _Handler)
        self._http.owner = self
        self.port = int(self._http.server_address[1])
        self.work: Work | None = None

    def start(self) -> None:
        """Listen; until the engine is loaded every answer is ``model_loading``."""
        threading.Thread(target=self._http.serve_forever, daemon=True).start()

    def load(self) -> None:
        """Load the engine; from then on it answers."""
        self.engine.load()
        self.work = Work(self.engine, Turns(self.engine.parallel, self._most_waiting))
        self.ready = True

    def stop(self, drain: float = DRAIN) -> None:
        """Let nobody in, give answers a moment to end, end the others with an error, and close."""
        self._http.shutdown()
        if self.work is not None:
            turns = self.work.turns
            turns.close()
            if not turns.drain(drain):
                self.work.stopping = True
                turns.drain(drain)
        self._http.server_close()
        if self.ready:
            self.engine.close()

    def knows(self, authorization: str) -> bool:
        """Return whether a header has the key; the time it takes tells nothing."""
        given = authorization.removeprefix("Bearer ").encode("utf-8", "replace")
        return hmac.compare_digest(given, self._key)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128
    owner: EngineServer

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._free = threading.BoundedSemaphore(MOST_CONNECTIONS)

    def process_request(self, request: Any, client_address: Any) -> None:
        if not self._free.acquire(blocking=False):
            self.shutdown_request(request)
            return
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Print what no refusal says; a client that went away is nothing to print."""
        if not isinstance(sys.exception(), OSError):
            traceback.print_exc()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "venom-engine", ""
    timeout = PATIENCE
    disable_nagle_algorithm = True
    server: _Server

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Print nothing: paths and bodies are the client's."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Keep the status for the request's line."""
        self._status = str(code)

    def _print_request(self, routes: Mapping[str, Any], began: float) -> None:
        """Print the line of a request: our names only, and an id that is harmless."""
        route = self.path.partition("?")[0]
        shown = route if route in routes else "(no route)"
        request_id = harmless(self.headers.get(HEADER)) or "-"
        seconds = time.monotonic() - began
        print(utc_text(), request_id, "POST", shown, self._status, f"{seconds:.3f} s", flush=True)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Answer what is no request, in the wire's shape too."""
        self._begun, self.close_connection = False, True
        error = InvalidRequest("This is no request of the OpenAI wire.")
        error.status = code
        self._refuse(error)

    def do_GET(self) -> None:
        self._answered({"/health": self._health, "/v1/models": self._models})

    def do_POST(self) -> None:
        routes = {
            "/v1/chat/completions": self._chat,
            "/v1/completions": self._complete,
            "/v1/embeddings": self._embed,
        }
        began = time.monotonic()
        self._status = "-"
        try:
            self._answered(routes)
        finally:
            self._print_request(routes, began)

    def _answered(self, routes: Mapping[str, Any]) -> None:
        self._begun = False
        try:
            self._checked(routes)
        except ClientGone:
            self.close_connection = True
        except OSError:
            self.close_connection = True  # the client's connection broke, or it was too slow
        except VenomError as error:
            self._refuse(error)
        except Exception:
            traceback.print_exc()
            self._refuse(UpstreamError("The engine failed; its log says how."))

    def _checked(self, routes: Mapping[str, Any]) -> None:
        owner = self.server.owner
        if not owner.knows(self.headers.get("Authorization", "")):
            self.close_connection = True  # its body was not read
            raise InvalidApiKey("This engine is Venom's own and takes its key only.")
        route = routes.get(self.path.partition("?")[0])
        if route is None:
            self.close_connection = True
            raise NotFound(f"An engine has no route {self.path[:100]!r}.")
        if not owner.ready:
            self.close_connection = True
            raise ModelLoading("The engine is still loading the model.", retry_after=1)
        route()

    @property
    def _work(self) -> Work:
        work = self.server.owner.work
        assert work is not None
        return work

    # -- routes ------------------------------------------------------------------------------

    def _health(self) -> None:
        figures = asdict(self._work.turns.figures)
        self._send(200, line({"status": "ok", **figures}))

    def _models(self) -> None:
        name = self._work.engine.name
        row = {"id": name, "object": "model", "created": 0, "owned_by": "venom"}
        self._send(200, line({"object": "list", "data": [row]}))

    def _chat(self) -> None:
        body = self._body()
        asked = engine_requests.generation(body, "chat", self._work.engine.parameters)
        self._generate(asked, self._work.chat_prompt(body))

    def _complete(self) -> None:
        body = self._body()
        asked = engine_requests.generation(body, "completion", self._work.engine.parameters)
        self._generate(asked, self._work.completion_prompt(body))

    def _embed(self) -> None:
        vectors, tokens = self._work.embed(self._body(), self._gone)
        rows = [
            {"object": "embedding", "index": index, "embedding": vector}
            for index, vector in enumerate(vectors)
        ]
        usage = {"prompt_tokens": tokens, "total_tokens": tokens}
        name = self._work.engine.name
        self._send(200, line({"object": "list", "data": rows, "model": name, "usage": usage}))

    def _generate(self, asked: engine_requests.Generation, prompt: Sequence[int]) -> None:
        usage: dict[str, int] = {}
        envelope = Envelope(self._work.engine.name, asked.wire)
        with contextlib.closing(self._work.answer(asked, prompt, self._gone, usage)) as pieces:
            if asked.stream:
                self._stream(envelope, pieces, asked, usage)
                return
            choices: list[list[Piece]] = [[] for _ in range(asked.choices)]
            for piece in pieces:
                choices[piece.index].append(piece)
        self._send(200, envelope.whole(choices, usage))

    def _stream(
        self,
        envelope: Envelope,
        pieces: Iterator[Piece],
        asked: engine_requests.Generation,
        usage: dict[str, int],
    ) -> None:
        begun: set[int] = set()
        # Only what is accepted gets a 200: the first token is there, or there is a refusal.
        for piece in pieces:
            self._begin_stream()
            for event in envelope.chunks(piece, piece.index not in begun):
                self._event(event)
            begun.add(piece.index)
        if asked.include_usage:
            self._event(envelope.usage_chunk(usage))
        self._event(b"[DONE]")
        self._chunk(b"")

    # -- the connection ----------------------------------------------------------------------

    def _body(self) -> dict[str, Any]:
        length = self.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdigit()) or "Transfer-Encoding" in self.headers:
            self.close_connection = True
            raise InvalidRequest("The request says no length.", fix="Send a Content-Length.")
        if len(length) > 12 or int(length) > MOST_BODY:
            self.close_connection = True
            raise RequestTooLarge(
                f"The body is larger than {MOST_BODY // 2**20} MB.", fix="Send less."
            )
        data = self.rfile.read(int(length))
        if len(data) < int(length):
            raise ClientGone
        try:
            body = bounded_json.loads(data)
        except ValueError as error:
            raise InvalidRequest("The body is no JSON object.") from error
        if not isinstance(body, dict):
            raise InvalidRequest("The body is no JSON object.")
        name = self._work.engine.name
        if body.get("model") not in (None, name):
            raise ModelNotFound(f"This engine serves {name!r} only.", param="model")
        return body

    def _gone(self) -> bool:
        """Return whether the client closed its connection; it has nothing else to send now."""
        self.connection.settimeout(0)
        try:
            return len(self.connection.recv(1, socket.MSG_PEEK)) == 0
        except BlockingIOError:
            return False
        except OSError:
            return True
        finally:
            self.connection.settimeout(PATIENCE)

    def _refuse(self, error: VenomError) -> None:
        numbers = {}
        if isinstance(error, Overflow):
            numbers = {"n_prompt_tokens": error.needed, "n_ctx": error.size}
        body = line(error_body(error, **numbers))
        try:
            if self._begun:
                self._status = error.code
                self._event(body)
                self._event(b"[DONE]")
                self._chunk(b"")
            else:
                self._send(error.status, body, error.retry_after)
        except OSError:
            self.close_connection = True

    def _send(self, status: int, body: bytes, retry_after: float | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        if retry_after is not None:
            self.send_header("Retry-After", f"{retry_after:g}")
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def _begin_stream(self) -> None:
        if self._begun:
            return
        self._begun = True
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()

    def _event(self, data: bytes) -> None:
        self._chunk(b"data: " + data + b"\n\n")

    def _chunk(self, data: bytes) -> None:
        self.wfile.write(b"%x\r\n%b\r\n" % (len(data), data))


def serve(kind: type[ServedEngine]) -> int:
    """Load an engine and serve it until SIGTERM; returns the exit code.

    Port, key and configuration come from the environment, as :class:`EngineProcess` sets them.
    """
    port, key = int(os.environ.pop(PORT_VARIABLE)), os.environ.pop(KEY_VARIABLE)
    config = json.loads(os.environ.pop(CONFIG_VARIABLE, "{}"))
    server = EngineServer(kind(config), port, key)
    server.start()
    try:
        server.load()
    except VenomError as error:
        sys.stdout.write(f"\n{REFUSAL}{json.dumps(error.whole())}\n")
        return 1
    ended = threading.Event()
    # Only now: while it loads SIGTERM ends the process as it stands.
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    sys.stdout.write(f"serving {server.engine.name}\n")
    ended.wait()
    server.stop()
    return 0
