"""The fake repeats each recorded answer byte for byte, dates aside.

The expectation is read from the record's file here, not through the fake's own reader.
"""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import pytest

from venom_core.testing import ollama
from venom_core.testing.deadlines import patience
from venom_core.testing.ollama import NOT_REPLAYABLE, FakeOllama

RECORDS = Path(ollama.__file__).parent / "records"
# In these a host path was redacted after recording, so the true length is not the recorded one.
REDACTED = ("<OLLAMA_MODELS>", "<BUILD_DIR>")
# What the fake adds or says anew: the date, its own name, and `Connection`, which the recording
# client asked for.
NOT_COMPARED = ("date", "x-fake", "connection")
# How long silence must last to count as silence.
QUIET_SECONDS = 0.15


class Case(NamedTuple):
    name: str
    request: dict[str, Any]
    response: dict[str, Any]


def _cases() -> list[Case]:
    cases = []
    for path in sorted(RECORDS.glob("*.json")):
        if path.stem in NOT_REPLAYABLE:
            continue
        data = json.loads(path.read_text())
        if "exchanges" in data:
            cases += [
                Case(f"{path.stem}#{number}", one["request"], one["response"])
                for number, one in enumerate(data["exchanges"])
            ]
        else:
            cases.append(Case(path.stem, data["request"], data["response"]))
    return cases


CASES = _cases()


def test_nothing_is_left_out_in_silence() -> None:
    files = {path.stem for path in RECORDS.glob("*.json")}
    assert files - {case.name.split("#")[0] for case in CASES} == set(NOT_REPLAYABLE)
    assert len(CASES) > 390


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_answer_is_the_recorded_one(fake: FakeOllama, case: Case) -> None:
    # The same request was recorded in several states of the server; this names the state.
    fake.prefer(case.name)
    head, body, ended = _exchange(fake, case)
    response = case.response
    if response.get("status") is None:
        assert (head, body, ended) == (b"", b"", False)
        return
    first, *lines = head.decode().split("\r\n")
    assert first == f"HTTP/1.1 {response['status']} {response['reason']}"
    sent = [tuple(line.split(": ", 1)) for line in lines]
    assert ("X-Fake", "venom_core.testing.ollama") in sent
    assert [pair for pair in sent if pair[0].lower() not in NOT_COMPARED] == _headers(response)
    chunks = _dechunk(body) if ("Transfer-Encoding", "chunked") in sent else [body]
    stream = response.get("ndjson") or response.get("sse")
    if stream is not None:
        assert chunks[: len(stream)] == [line["raw"].encode() + b"\n" for line in stream]
    else:
        assert b"".join(chunks) == response["body_raw"].encode()
    assert fake.requests()[-1]["answered_by"] == case.name
    if response.get("closed_by_client"):
        assert not ended, "the record is a beginning: the fake waits for the client to leave"
    if response.get("truncated"):
        assert ended and not body.endswith(b"0\r\n\r\n")


def test_without_a_preference_some_recorded_answer_of_the_same_request_comes(
    fake: FakeOllama,
) -> None:
    by_name = {case.name: case.request for case in CASES}
    # The others have no end to wait for.
    ended = [
        case
        for case in CASES
        if case.response.get("status") is not None and not case.response.get("closed_by_client")
    ]
    for case in ended:
        _exchange(fake, case)
    for entry, (_, asked, _) in zip(fake.requests(), ended, strict=True):
        answered = by_name[entry["answered_by"]]
        for key in ("method", "path"):
            assert answered[key] == asked[key] == entry[key]
        assert _json_body(answered) == _json_body(asked)


def _json_body(request: dict[str, Any]) -> Any:
    raw = request.get("body_raw")
    if raw is None:
        return request["body"]
    try:
        return json.loads(raw)
    except ValueError:
        return raw or None


def _exchange(fake: FakeOllama, case: Case) -> tuple[bytes, bytes, bool]:
    """Send the recorded request as it was sent; the head, the body as framed, and whether the
    server ended the connection."""
    request = case.request
    body = b""
    if request.get("body") is not None:
        body = json.dumps(request["body"]).encode()
    elif request.get("body_raw"):
        body = request["body_raw"].encode()
    headers = [(k, v) for k, v in request["headers"] if k != "Content-Length"]
    lines = [f"{request['method']} {request['path']} HTTP/1.1"]
    lines += [f"{key}: {value}" for key, value in headers]
    lines += [f"Content-Length: {len(body)}"] if body else []
    response = case.response
    endless = response.get("status") is None or response.get("closed_by_client")
    address = urlsplit(fake.url)
    with socket.create_connection(
        (address.hostname, address.port), timeout=patience(10)
    ) as connection:
        connection.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
        received = b""
        ended = False
        try:
            while True:
                # Where no end is to come, what was recorded comes first and then nothing.
                awaited = endless and _last_line(response) in received
                connection.settimeout(QUIET_SECONDS if awaited else 10)
                data = connection.recv(1 << 16)
                if not data:
                    ended = True
                    break
                received += data
        except TimeoutError:
            assert endless, f"no end of the answer within 10 s: {received[-200:]!r}"
    head, _, rest = received.partition(b"\r\n\r\n")
    return head, rest, ended


def _last_line(response: dict[str, Any]) -> bytes:
    lines = response.get("ndjson") or [x for x in response.get("sse", []) if x["raw"]]
    return lines[-1]["raw"].encode() if lines else b""


def _headers(response: dict[str, Any]) -> list[tuple[str, str]]:
    redacted = any(mark in json.dumps(response) for mark in REDACTED)
    headers = []
    for key, value in response["headers"]:
        if key.lower() in NOT_COMPARED:
            continue
        if key == "Content-Length" and redacted:
            value = str(len(response["body_raw"].encode()))
        headers.append((key, value))
    return headers


def _dechunk(body: bytes) -> list[bytes]:
    chunks = []
    while body:
        size, _, body = body.partition(b"\r\n")
        if int(size, 16) == 0:
            break
        chunks.append(body[: int(size, 16)])
        body = body[int(size, 16) + 2 :]
    return chunks
