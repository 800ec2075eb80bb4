"""A client's request as data, and what came of it.

A file of tests/contract/openai/clients/ holds the requests of one client: ``client``, ``source``
(recorded from which version, or written from what), ``requests``. Each has ``name``, ``method``,
``path``, ``headers`` in their order as ``Name: value``, ``body`` and ``outcome``.
"""

from __future__ import annotations

import http.client
import io
import json
import re
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from venom_core.testing.deadlines import patience
from venom_core.testing.wire_law import lawful

FOLDER = Path(__file__).parents[1] / "contract" / "openai" / "clients"
#: The key that recorded requests carry, and what the server that they are played to has for one.
KEY = "the-key-of-these-tests"
HOST = "127.0.0.1:8366"


def recorded() -> dict[str, dict[str, Any]]:
    """Return every file by its client."""
    files = [json.loads(file.read_text("utf-8")) for file in sorted(FOLDER.glob("*.json"))]
    return {file["client"]: file for file in files}


def head_of(request: Mapping[str, Any], length: int) -> bytes:
    """Return a request's head as its client sent it."""
    lines = [f"{request['method']} {request['path']} HTTP/1.1"]
    for line in request["headers"]:
        own = line.lower().startswith("content-length:")
        lines.append(f"{line.partition(':')[0]}: {length}" if own else line)
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def body_of(request: Mapping[str, Any]) -> bytes:
    return json.dumps(request["body"]).encode() if "body" in request else b""


def play(url: str, request: Mapping[str, Any]) -> dict[str, Any]:
    """Send a recorded request, as it was but for its length, and return its outcome."""
    body = body_of(request)
    raw = head_of(request, len(body))
    if any(line.lower().startswith("transfer-encoding:") for line in request["headers"]):
        body = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
    address = urlsplit(url)
    with socket.create_connection((address.hostname, address.port), patience(20)) as connection:
        connection.sendall(raw + body)
        answer = http.client.HTTPResponse(connection, method=request["method"])
        answer.begin()
        return outcome(answer.status, answer.headers["content-type"] or "", answer.read())


def read(raw: bytes, method: str) -> dict[str, Any] | None:
    """Return the outcome of an answer that was overheard; None where it was not whole."""
    answer = http.client.HTTPResponse(_Overheard(raw), method=method)  # type: ignore[arg-type]
    try:
        answer.begin()
        return outcome(answer.status, answer.headers["content-type"] or "", answer.read())
    except http.client.HTTPException:
        return None


class _Overheard:
    def __init__(self, raw: bytes) -> None:
        self._raw = raw

    def makefile(self, mode: str) -> io.BytesIO:
        return io.BytesIO(self._raw)


def outcome(status: int, content_type: str, data: bytes) -> dict[str, Any]:
    """Return what a client can tell of an answer: status, shape, and how it ended (the finish
    reason, or the code of the error). Streams are held against the law of the wire."""
    if content_type.startswith("text/event-stream"):
        said = lawful(data)
        end = said.error["code"] if said.error else said.reasons[0]
        kind = said.chunks[0]["object"] if said.chunks else None
        return {"status": status, "shape": "stream", "of": kind, "end": end,
                "usage": said.usage is not None}  # fmt: skip
    body = json.loads(data)
    if "error" in body:
        return {"status": status, "shape": "error", "end": body["error"]["code"]}
    told = {"status": status, "shape": body["object"]}
    choices = body.get("choices")
    return {**told, "end": choices[0]["finish_reason"]} if choices else told


#: What says where and when something was recorded -> what stands in its place.
PERSONAL = (
    (re.compile(r"\b20\d\d-\d\d-\d\d(T[\d:.]+(Z|[+-][\d:]+)?)?"), "2026-11-01"),
    (re.compile(r"Linux-[\w.+-]+"), "Linux"),
    (re.compile(r"/(?:root|home|tmp|var/tmp)/[\w./-]*"), "/home/you/project"),
)


def impersonal(value: Any) -> Any:
    """Return a body or header without the paths, dates and machine of whoever recorded it."""
    if isinstance(value, str):
        for pattern, put in PERSONAL:
            value = pattern.sub(put, value)
        return value
    if isinstance(value, list):
        return [impersonal(item) for item in value]
    if isinstance(value, dict):
        return {name: impersonal(item) for name, item in value.items()}
    return value
