"""A proxy that writes down what clients ask of Venom, and what came of it.

``make test-clients RECORD=1`` records the clients that the tests run. For one that is not in their
environment ``python -m tests.clients.recorder NAME SOURCE COMMAND...`` runs a command beside a
server over the fake engine; ``{url}`` in its words is the server's ``/v1``, the key is ``KEY`` of
:mod:`tests.clients.exchange`, the model ``fake``. So were recorded::

    jdk-httpclient    java tests/clients/by_hand/Ask.java {url} KEY
    openai-python-3   python tests/clients/by_hand/openai_python.py {url} KEY
    aider             aider --model openai/fake --openai-api-base {url} --openai-api-key KEY
                      --no-git --yes-always --message "What is the capital of Poland?" city.py
    continue          cn --readonly --config config.yaml -p "What is the capital of Poland?"
                      with a model of the provider ``openai`` and ``apiBase: {url}``
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from threading import Event, Thread
from typing import Any
from urllib.parse import urlsplit

from tests.clients.exchange import FOLDER, HOST, impersonal, read
from tests.clients.serving import venom_over_fake


@dataclass(slots=True)
class Overheard:
    """A request's bytes, and those of its answer up to now."""

    head: bytes
    body: bytes
    answer: bytearray = field(default_factory=bytearray)


@dataclass(slots=True)
class Recorder:
    """Listens on ``url`` and passes on to Venom, both ways."""

    upstream: str
    url: str = ""
    overheard: list[Overheard] = field(default_factory=list)
    made: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        place = urlsplit(self.upstream)
        answers, asks = await asyncio.open_connection(place.hostname, place.port)
        current: list[Overheard] = []
        back = asyncio.create_task(_answers(answers, writer, current))
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                asks.write(head)
                exchange = Overheard(head, b"")
                current.append(exchange)
                self.overheard.append(exchange)
                exchange.body = await _body(reader, asks, head)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # the client is done
        finally:
            asks.close()
            back.cancel()
            writer.close()

    def taken(self, name: str) -> list[dict[str, Any]]:
        """Return what was overheard since the last time as requests, without what had no end."""
        found, self.overheard = self.overheard, []
        made = [_request(exchange) for exchange in found]
        whole = [request for request in made if request is not None]
        return [{"name": f"{name} {n}" if n > 1 else name, **one} for n, one in enumerate(whole, 1)]


async def _answers(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, current: list[Overheard]
) -> None:
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(65536):
            current[-1].answer += data
            writer.write(data)
            await writer.drain()
    writer.close()


async def _body(reader: asyncio.StreamReader, asks: asyncio.StreamWriter, head: bytes) -> bytes:
    fields = {name.lower(): value for name, value in _headers(head)}
    if fields.get("transfer-encoding", "").lower() != "chunked":
        body = await reader.readexactly(int(fields.get("content-length", 0)))
        asks.write(body)
        return body
    body = b""
    while True:
        line = await reader.readuntil(b"\r\n")
        chunk = await reader.readexactly(int(line, 16) + 2)
        asks.write(line + chunk)
        body += chunk[:-2]
        if chunk == b"\r\n":
            return body


def _headers(head: bytes) -> list[tuple[str, str]]:
    lines = head.decode("latin-1").split("\r\n")[1:-2]
    return [(name, value.strip()) for name, _, value in (line.partition(":") for line in lines)]


def _request(exchange: Overheard) -> dict[str, Any] | None:
    method, path, _ = exchange.head.split(b"\r\n")[0].decode().split(" ")
    outcome = read(bytes(exchange.answer), method)
    if outcome is None:
        return None
    named = [(n, HOST if n.lower() == "host" else v) for n, v in _headers(exchange.head)]
    headers = [f"{name}: {impersonal(value)}" for name, value in named]
    told: dict[str, Any] = {"method": method, "path": path, "headers": headers}
    if exchange.body:
        told["body"] = impersonal(json.loads(exchange.body))
    return {**told, "outcome": outcome}


@contextlib.contextmanager
def recording(upstream: str) -> Iterator[Recorder]:
    """Run a recorder before a server, in a thread of its own."""
    recorder = Recorder(upstream)
    started, over = Event(), Event()

    async def run() -> None:
        server = await asyncio.start_server(recorder.serve, "127.0.0.1", 0)
        recorder.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        started.set()
        await asyncio.to_thread(over.wait)
        server.close()

    thread = Thread(target=asyncio.run, args=(run(),), daemon=True)
    thread.start()
    started.wait(30)
    try:
        yield recorder
    finally:
        over.set()
        thread.join(30)


def write(client: str, source: str, requests: list[dict[str, Any]]) -> None:
    """Write a client's file."""
    told = {"client": client, "source": source, "requests": requests}
    text = json.dumps(told, indent=1, ensure_ascii=False) + "\n"
    (FOLDER / f"{client}.json").write_text(text, encoding="utf-8")


def main(client: str, source: str, command: list[str]) -> int:
    with venom_over_fake() as (_, url), recording(url) as recorder:
        words = [word.replace("{url}", f"{recorder.url}/v1") for word in command]
        code = subprocess.run(words, check=False).returncode
        write(client, source, recorder.taken(client))
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2], sys.argv[3:]))
