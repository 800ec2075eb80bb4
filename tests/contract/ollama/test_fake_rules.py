"""The fake does more than repeat: it says what it is, refuses what was never recorded, varies
timing and faults on demand, and remembers what it was asked."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from http.client import HTTPConnection, HTTPResponse
from typing import Any
from urllib.parse import urlsplit

import pytest

from venom_core.testing.deadlines import eventually, patience
from venom_core.testing.ollama import FakeOllama, load_records
from venom_core.testing.ollama.faults import Kind
from venom_core.testing.ollama.matching import EQUIVALENCES, normalised
from venom_core.testing.ollama.scenarios import SCENARIOS

STREAM = load_records()["302_chat_stream"]
OPTIONS = STREAM.body["options"]


def ask(
    fake: FakeOllama, method: str, path: str, body: Any = None, timeout: float = 5
) -> tuple[HTTPResponse, bytes]:
    address = urlsplit(fake.url)
    connection = HTTPConnection(str(address.hostname), address.port, timeout=timeout)
    try:
        connection.request(method, path, None if body is None else json.dumps(body))
        response = connection.getresponse()
        return response, response.read()
    finally:
        connection.close()


def open_socket(fake: FakeOllama) -> socket.socket:
    address = urlsplit(fake.url)
    return socket.create_connection((str(address.hostname), address.port or 0), timeout=patience(5))


def http_post(path: str, body: Any) -> bytes:
    data = json.dumps(body).encode()
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(data)}\r\n\r\n"
    return head.encode() + data


def until(connection: socket.socket, mark: bytes) -> bytes:
    data = b""
    while mark not in data:
        piece = connection.recv(4096)
        assert piece, f"closed before {mark!r}: {data!r}"
        data += piece
    return data


def test_it_says_that_it_is_a_fake(fake: FakeOllama) -> None:
    response, body = ask(fake, "GET", "/__fake__")
    told = json.loads(body)
    assert told["fake"] is True
    assert told["recorded_from"] == "Ollama 0.24.0"
    assert "302_chat_stream" in told["records"]
    response, _ = ask(fake, "GET", "/api/version")
    assert response.headers["X-Fake"] == "venom_core.testing.ollama"


# Unrecorded


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/api/never", None),
        ("POST", "/api/chat", {"model": "gemma3:270m", "messages": [{"role": "user"}]}),
        ("POST", "/api/chat", {**STREAM.body, "options": {"temperature": 0.3}}),
        ("POST", "/api/chat", {**STREAM.body, "options": {**OPTIONS, "temperature": 0.3}}),
        ("POST", "/api/chat", {**STREAM.body, "options": {**OPTIONS, "seed": 43}}),
        ("POST", "/api/chat", {**STREAM.body, "format": "json"}),
        ("POST", "/api/generate", {"model": "gemma3:270m", "keep_alive": "eternity"}),
        ("DELETE", "/api/delete", {"model": "never"}),
    ],
)
def test_unrecorded_is_501_and_names_what_was_asked(
    fake: FakeOllama, method: str, path: str, body: Any
) -> None:
    response, text = ask(fake, method, path, body)
    assert response.status == 501
    told = json.loads(text)
    assert "fake" in told["error"]
    assert (told["method"], told["path"]) == (method, path)
    assert told["body"] == ("" if body is None else body)
    assert fake.requests()[-1]["answered_by"] == "unrecorded"


# Equivalences


@pytest.mark.parametrize(
    "more",
    [
        {"truncate": False}, {"shift": False}, {"keep_alive": "10m"}, {"keep_alive": -1},
        {"stream": True}, {"tools": []},
        {"options": {**OPTIONS, "num_ctx": 4096}},
        {"truncate": False, "shift": False, "keep_alive": 30, "stream": True},
    ],
)  # fmt: skip
def test_what_changes_no_recorded_answer_is_looked_through(
    fake: FakeOllama, more: dict[str, Any]
) -> None:
    _, body = ask(fake, "POST", "/api/chat", {**STREAM.body, **more})
    assert body == STREAM.answer.body


@pytest.mark.parametrize(
    "more",
    [{"stream": False}, {"keep_alive": 0}, {"keep_alive": "soon"}, {"think": True},
     {"options": {}}, {"tools": [{}]}],
)  # fmt: skip
def test_what_changes_the_answer_is_not(more: dict[str, Any]) -> None:
    assert normalised({**STREAM.body, **more}) != normalised(STREAM.body)


def test_a_name_means_its_latest_where_the_answer_does_not_repeat_it(fake: FakeOllama) -> None:
    shown = load_records()["149_show_system_override"].answer.body
    assert ask(fake, "POST", "/api/show", {"model": "mario:latest"})[1] == shown
    assert ask(fake, "POST", "/api/generate", {"model": "gemma3-tools:latest"})[0].status == 501


def test_every_equivalence_says_why() -> None:
    assert all(rule.__doc__ for rule in EQUIVALENCES)


def test_the_exact_record_beats_an_equivalent_one(fake: FakeOllama) -> None:
    long = load_records()["239d_generate_long_prompt"]
    assert ask(fake, "POST", "/api/generate", long.body)[0].status == 200
    assert ask(fake, "POST", "/api/generate", {**long.body, "truncate": False})[0].status == 400


def test_an_older_ollama_does_not_read_truncate(fake: FakeOllama) -> None:
    fake.settings(version="0.12.5")
    long = load_records()["239d_generate_long_prompt"]
    response, body = ask(fake, "POST", "/api/generate", {**long.body, "truncate": False})
    assert response.status == 200
    assert json.loads(body)["prompt_eval_count"] == long.body["options"]["num_ctx"]
    assert json.loads(ask(fake, "GET", "/api/version")[1]) == {"version": "0.12.5"}


# Scenarios


def test_scenarios_derive_from_records_and_say_so() -> None:
    for scenario in SCENARIOS.values():
        assert scenario.derived_from
        assert set(scenario.derived_from) <= set(load_records())
        assert scenario.change


def test_scenarios_are_off_until_asked_for(fake: FakeOllama) -> None:
    question = {"model": "gemma3:270m", "messages": [{"role": "user", "content": "Anything?"}]}
    assert ask(fake, "POST", "/api/chat", question)[0].status == 501
    fake.scenario("any_chat")
    response, body = ask(fake, "POST", "/api/chat", question)
    assert (response.status, body) == (200, STREAM.answer.body)
    assert fake.requests()[-1]["answered_by"] == "scenario:any_chat"
    assert ask(fake, "POST", "/api/chat", {**question, "model": "nope"})[0].status == 404
    whole = json.loads(ask(fake, "POST", "/api/chat", {**question, "stream": False})[1])
    lines = STREAM.answer.lines()
    assert whole["message"]["content"] == "".join(line["message"]["content"] for line in lines)


@pytest.mark.parametrize("bad", [{"scenarios": ["x"]}, {"prefer": ["x"]}, {"colour": 1}])
def test_what_the_control_paths_do_not_know(fake: FakeOllama, bad: dict[str, Any]) -> None:
    response, body = ask(fake, "POST", "/__fake__/settings", bad)
    assert response.status == 400
    assert "unknown" in json.loads(body)["error"]


@pytest.mark.parametrize("bad", [{"path": "/x"}, {"kind": "reset"}, {"path": "/x", "kind": "odd"},
                                 {"path": "/x", "kind": "eof", "when": 1}, []])  # fmt: skip
def test_faults_that_are_none(fake: FakeOllama, bad: Any) -> None:
    assert ask(fake, "POST", "/__fake__/faults", bad)[0].status == 400


# Faults, as bytes

LAST_CHUNK = b"0\r\n\r\n"
QUIET_SECONDS = 0.2


def raw_chat(fake: FakeOllama, whole_lines: int | None = None) -> tuple[bytes, str]:
    """The body as framed and how it ended: "closed", "reset", or "open" after the last chunk or,
    where ``whole_lines`` are awaited, after a quiet moment that follows them."""
    with open_socket(fake) as connection:
        connection.sendall(http_post("/api/chat", STREAM.body))
        data = b""
        try:
            while not data.endswith(LAST_CHUNK):
                if whole_lines is not None and data.count(b"}\n\r\n") == whole_lines:
                    connection.settimeout(QUIET_SECONDS)
                piece = connection.recv(1 << 16)
                if not piece:
                    return data.partition(b"\r\n\r\n")[2], "closed"
                data += piece
        except TimeoutError:
            pass  # quiet, as awaited
        except ConnectionResetError:
            return data.partition(b"\r\n\r\n")[2], "reset"
        return data.partition(b"\r\n\r\n")[2], "open"


@pytest.mark.parametrize(
    ("kind", "ending", "last_chunk", "lines"),
    [
        ("reset", "reset", False, None), ("eof", "closed", False, 3), ("cut", "open", True, 3),
        ("stall", "open", False, 3), ("half_line", "open", True, 3), ("bad_utf8", "open", True, 4),
        ("error_frame", "open", True, 4), ("garbage", "open", True, 4),
    ],
)  # fmt: skip
def test_faults_strike_after_the_bytes(
    fake: FakeOllama, kind: str, ending: str, last_chunk: bool, lines: int | None
) -> None:
    fake.fault("/api/chat", kind, after_bytes=300)
    body, how = raw_chat(fake, lines if kind == "stall" else None)
    assert how == ending
    assert body.endswith(LAST_CHUNK) == last_chunk
    assert b'"done":true' not in body
    if lines is not None:
        # Whole lines; a reset may throw away what was sent before it.
        assert body.removesuffix(LAST_CHUNK).count(b"\n\r\n") == lines
    assert raw_chat(fake)[0].endswith(LAST_CHUNK), "a fault strikes once"


def test_refused_and_silent_connections(fake: FakeOllama) -> None:
    fake.fault("/api/chat", "refuse")
    assert raw_chat(fake) == (b"", "reset")
    fake.fault("/api/chat", "silent")
    assert raw_chat(fake, 0) == (b"", "open")


def test_every_kind_of_fault_is_known_to_these_tests() -> None:
    assert {str(kind) for kind in Kind} == {
        "refuse", "silent", "status", "reset", "eof", "cut", "stall", "half_line", "bad_utf8",
        "error_frame", "garbage", "slow", "split",
    }  # fmt: skip


def test_a_status_with_headers(fake: FakeOllama) -> None:
    fake.fault("/api/chat", "status", status=503, body="{}", headers={"Retry-After": "7"})
    response, body = ask(fake, "POST", "/api/chat", STREAM.body)
    assert (response.status, response.headers["Retry-After"], body) == (503, "7", b"{}")


def test_times(fake: FakeOllama) -> None:
    fake.fault("/api/version", "status", times=2)
    statuses = [ask(fake, "GET", "/api/version")[0].status for _ in range(3)]
    assert statuses == [500, 500, 200]
    fake.fault("/api/version", "status", times=0)
    assert {ask(fake, "GET", "/api/version")[0].status for _ in range(4)} == {500}


def test_timing_on_demand(fake: FakeOllama) -> None:
    fake.settings(line_ms=10)
    begin = time.monotonic()
    _, body = ask(fake, "POST", "/api/chat", STREAM.body)
    assert time.monotonic() - begin >= 0.01 * (len(STREAM.answer.pieces) - 1)
    assert body == STREAM.answer.body
    fake.reset()
    fake.fault("/api/version", "slow", delay_ms=60)
    begin = time.monotonic()
    ask(fake, "GET", "/api/version")
    assert time.monotonic() - begin >= 0.06


def test_split_changes_the_cuts_and_not_the_bytes(fake: FakeOllama) -> None:
    fake.fault("/api/chat", "split", size=5)
    framed, _ = raw_chat(fake)
    assert framed.startswith(b"5\r\n" + STREAM.answer.body[:5] + b"\r\n")
    fake.fault("/api/chat", "split", size=5)
    assert ask(fake, "POST", "/api/chat", STREAM.body)[1] == STREAM.answer.body


# The log


def test_the_log_knows_a_client_that_left(fake: FakeOllama) -> None:
    fake.settings(line_ms=20)
    with open_socket(fake) as connection:
        connection.sendall(http_post("/api/chat", STREAM.body))
        until(connection, b'"done":false')
    entry = fake.wait_for(lambda e: e["client_gone"])
    assert entry["path"] == "/api/chat"
    assert 0 < entry["body_bytes"] < len(STREAM.answer.body)
    assert not entry["finished"]


def test_the_log_knows_a_client_that_left_before_the_answer(fake: FakeOllama) -> None:
    fake.fault("/api/chat", "silent")
    with open_socket(fake) as connection:
        connection.sendall(http_post("/api/chat", STREAM.body))
        fake.wait_for(lambda e: e["path"] == "/api/chat")
    entry = fake.wait_for(lambda e: e["client_gone"])
    assert entry["body_bytes"] == 0


def test_the_log_knows_who_stayed(fake: FakeOllama) -> None:
    ask(fake, "POST", "/api/chat", STREAM.body)
    (entry,) = fake.requests()
    assert entry["finished"]
    assert not entry["client_gone"]
    assert entry["body_bytes"] == len(STREAM.answer.body)
    assert entry["body"] == STREAM.body


def test_a_connection_serves_several_requests(fake: FakeOllama) -> None:
    address = urlsplit(fake.url)
    connection = HTTPConnection(str(address.hostname), address.port, timeout=patience(5))
    try:
        for _ in range(3):
            connection.request("POST", "/api/chat", json.dumps(STREAM.body))
            assert connection.getresponse().read() == STREAM.answer.body
    finally:
        connection.close()


# The process


def test_it_ends_with_the_process_that_started_it() -> None:
    started = (
        "import sys, time\n"
        "from venom_core.testing.ollama import FakeOllama\n"
        "fake = FakeOllama().start()\n"
        "print(fake.url, flush=True)\n"
        "time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", started], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        url = parent.stdout.readline().decode().strip()
        address = urlsplit(url)
        parent.kill()

    def refused() -> bool:
        try:
            socket.create_connection((str(address.hostname), address.port or 0)).close()
        except ConnectionRefusedError:
            return True
        return False

    assert eventually(refused), "the fake outlived its parent"


def test_by_hand() -> None:
    faults = json.dumps([{"path": "/api/tags", "kind": "status", "status": 418}])
    command = [sys.executable, "-m", "venom_core.testing.ollama", "--version", "0.1.0"]
    command += ["--faults", faults, "--scenario", "any_chat", "--until-stdin-closes"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        fake = FakeOllama()
        fake.url = process.stdout.readline().decode().strip()
        assert ask(fake, "GET", "/api/tags")[0].status == 418
        assert json.loads(ask(fake, "GET", "/api/version")[1]) == {"version": "0.1.0"}
        process.stdin.close()
        assert process.wait(timeout=patience(5)) == 0
