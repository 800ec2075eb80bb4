"""The server that puts a Python engine behind the OpenAI wire, over real HTTP."""

from __future__ import annotations

import http.client
import json
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.unit.sdk.spelling_engine import SpellingEngine
from venom_core.sdk import engine_server
from venom_core.sdk.engine_server import EngineServer
from venom_core.testing.deadlines import eventually, patience
from venom_core.testing.wire_law import lawful

KEY = "the-key"
CHAT, TEXT, EMBED = "/v1/chat/completions", "/v1/completions", "/v1/embeddings"


class Client:
    """Asks one server; ``engine`` and ``server`` are there to be looked at."""

    def __init__(self, server: EngineServer, engine: SpellingEngine) -> None:
        self.server = server
        self.engine = engine

    def connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=patience(20))

    def send(
        self, path: str, body: Any = None, key: str = KEY, **headers: str
    ) -> tuple[http.client.HTTPConnection, http.client.HTTPResponse]:
        connection = self.connect()
        data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        method = "GET" if data is None else "POST"
        connection.request(method, path, data, {"Authorization": f"Bearer {key}", **headers})
        return connection, connection.getresponse()

    def ask(self, path: str, body: Any = None, key: str = KEY) -> tuple[int, Any]:
        connection, response = self.send(path, body, key)
        answer = response.status, json.loads(response.read())
        connection.close()
        return answer

    def chat(self, text: str, **more: Any) -> tuple[int, Any]:
        return self.ask(CHAT, {"messages": [{"role": "user", "content": text}], **more})

    def stream(self, text: str, **more: Any) -> Any:
        body = {"messages": [{"role": "user", "content": text}], "stream": True, **more}
        connection, response = self.send(CHAT, body)
        data = response.read()
        connection.close()
        assert response.status == 200, data
        return data

    def begin(self, text: str) -> tuple[http.client.HTTPConnection, http.client.HTTPResponse]:
        """Begin a stream and read its first event."""
        body = {"messages": [{"role": "user", "content": text}], "stream": True}
        connection, response = self.send(CHAT, body)
        assert response.status == 200
        assert response.readline().startswith(b"data: ")
        return connection, response

    @property
    def figures(self) -> dict[str, Any]:
        return dict(self.ask("/health")[1])


Start = Callable[..., Client]


@pytest.fixture
def start() -> Iterator[Start]:
    servers: list[EngineServer] = []

    def make(*, most_waiting: int = 64, **config: Any) -> Client:
        engine = SpellingEngine(config)
        server = EngineServer(engine, 0, KEY, most_waiting=most_waiting)
        server.start()
        server.load()
        servers.append(server)
        return Client(server, engine)

    yield make
    for server in servers:
        server.stop(drain=0.05)


# -- answers ---------------------------------------------------------------------------------


def test_an_answer_whole_and_streamed_with_its_usage(start: Start) -> None:
    client = start()
    status, body = client.chat("hello")
    assert status == 200
    assert body["choices"][0]["message"] == {"role": "assistant", "content": "hello"}
    assert body["choices"][0]["finish_reason"] == "stop"
    assert body["usage"] == {"prompt_tokens": 5, "completion_tokens": 5, "total_tokens": 10}
    said = lawful(client.stream("hello", stream_options={"include_usage": True}))
    assert said.text == "hello" and said.usage == body["usage"]
    assert lawful(client.stream("hello")).usage is None


def test_a_completion_has_the_shape_of_its_wire(start: Start) -> None:
    status, body = start().ask(TEXT, {"prompt": "abc", "model": "speller", "logprobs": 1})
    assert status == 200 and body["object"] == "text_completion"
    (choice,) = body["choices"]
    assert choice["text"] == "abc" and choice["logprobs"]["tokens"] == ["a", "b", "c"]
    assert choice["logprobs"]["top_logprobs"][0] == {"a": -0.5, "?": -1.0}
    assert start().ask(TEXT, {"prompt": [104, 105]})[1]["choices"][0]["text"] == "hi"


@pytest.mark.parametrize(
    ("text", "stop", "expected"),
    [
        ("one.two", ".", "one"),
        ("one END two", ["XX", " END "], "one"),
        ("aab", "ab", "a"),
        ("ababc", "abc", "ab"),
        ("no stop here", "zzz", "no stop here"),
        ("ends with the beginning of STO", "STOP", "ends with the beginning of STO"),
        ("zażółć gęślą", "gęś", "zażółć "),
        ("🐍🐍", "🐍", ""),
        ("either or", [" or", "either o"], ""),
        ("text", "", "text"),
    ],
)
def test_stop_strings_that_tokens_split(
    start: Start, text: str, stop: str | list[str], expected: str
) -> None:
    client = start()
    assert client.chat(text, stop=stop)[1]["choices"][0]["message"]["content"] == expected
    said = lawful(client.stream(text, stop=stop))
    assert said.text == expected and said.reasons == {0: "stop"}
    assert client.engine.open_answers == 0


def test_no_event_has_half_a_character(start: Start) -> None:
    text = "a🐍ż\u0915\u094d\u0937👩\u200d🚀"
    said = lawful(start().stream(text))
    assert said.text == text and "\ufffd" not in said.text
    assert len(said.chunks) > 4, "it comes in pieces"


@pytest.mark.parametrize(
    ("most", "expected"), [(1, ""), (3, ""), (4, "🐍"), (6, "🐍"), (9, "🐍🐍a")]
)
def test_a_length_that_cuts_a_character_leaves_it_out(
    start: Start, most: int, expected: str
) -> None:
    client = start()
    _, body = client.chat("🐍🐍abc", max_tokens=most)
    (choice,) = body["choices"]
    assert choice["message"]["content"] == expected and choice["finish_reason"] == "length"
    assert body["usage"]["completion_tokens"] == most
    said = lawful(client.stream("🐍🐍abc", max_tokens=most))
    assert said.text == expected and said.reasons == {0: "length"}


def test_several_choices_have_a_seed_each(start: Start) -> None:
    client = start()
    _, body = client.chat("hi", n=3, seed=7)
    assert [choice["index"] for choice in body["choices"]] == [0, 1, 2]
    assert body["usage"]["completion_tokens"] == 6 and client.engine.seeds == [7, 8, 9]
    assert lawful(client.stream("hi", n=2), choices=2).reasons == {0: "stop", 1: "stop"}


def test_logprobs_of_what_is_told_and_of_nothing_behind_a_stop(start: Start) -> None:
    client = start()
    _, body = client.chat("ab.cd", logprobs=True, top_logprobs=2, stop=".c")
    content = body["choices"][0]["logprobs"]["content"]
    assert [record["token"] for record in content] == ["a", "b"]
    assert content[0]["bytes"] == [97] and len(content[0]["top_logprobs"]) == 2
    data = client.stream("ab.cd", logprobs=True, stop=".c")
    records = [
        record
        for chunk in lawful(data).chunks
        for record in (chunk["choices"][0].get("logprobs") or {}).get("content", ())
    ]
    assert [record["token"] for record in records] == ["a", "b"]
    split = client.chat("🐍", logprobs=True)[1]["choices"][0]["logprobs"]["content"]
    assert [record["bytes"] for record in split] == [[byte] for byte in "🐍".encode()]


def test_embeddings_in_batches_in_their_order(start: Start) -> None:
    client = start()
    _, body = client.ask(EMBED, {"input": ["a", "bb", "ccc", "dddd", "eeeee"]})
    assert [row["embedding"][0] for row in body["data"]] == [1.0, 2.0, 3.0, 4.0, 5.0]
    assert body["usage"]["prompt_tokens"] == 15 and client.engine.batches == [2, 2, 1]
    assert client.ask(EMBED, {"input": [[1, 2], [3]]})[1]["usage"]["prompt_tokens"] == 3


# -- refusals --------------------------------------------------------------------------------

USER = [{"role": "user", "content": "hi"}]
REFUSED: dict[str, tuple[str, Any, int, str, str | None]] = {
    "no object": (CHAT, [], 400, "invalid_request_error", None),
    "no JSON": (CHAT, b"{", 400, "invalid_request_error", None),
    "deep": (CHAT, b"[" * 100_000, 400, "invalid_request_error", None),
    "many values": (CHAT, b"[" + b"1," * 400_000 + b"1]", 400, "invalid_request_error", None),
    "no messages": (CHAT, {}, 400, "invalid_request_error", "messages"),
    "role": (CHAT, {"messages": [{"role": "x", "content": ""}]}, 400, "invalid_request_error",
             "messages[0].role"),
    "content": (CHAT, {"messages": [{"role": "user", "content": 3}]}, 400, "invalid_request_error",
                "messages[0].content"),
    "image": (CHAT, {"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}, 400,
              "model_not_capable", "messages[0].content[0]"),
    "model": (CHAT, {"messages": USER, "model": "other"}, 404, "model_not_found", "model"),
    "unknown": (CHAT, {"messages": USER, "tools": [{}]}, 400, "unsupported_parameter", "tools"),
    "not declared": (CHAT, {"messages": USER, "top_p": 0.5}, 400, "unsupported_parameter", "top_p"),
    "hot": (CHAT, {"messages": USER, "temperature": 3}, 400, "invalid_request_error",
            "temperature"),
    "not a number": (CHAT, b'{"messages": [{"role": "user", "content": "hi"}], "seed": NaN}', 400,
                     "invalid_request_error", "seed"),
    "flag": (CHAT, {"messages": USER, "stream": 1}, 400, "invalid_request_error", "stream"),
    "choices": (CHAT, {"messages": USER, "n": 17}, 400, "invalid_request_error", "n"),
    "none": (CHAT, {"messages": USER, "max_tokens": 0}, 400, "invalid_request_error", "max_tokens"),
    "stops": (CHAT, {"messages": USER, "stop": [1]}, 400, "invalid_request_error", "stop"),
    "top alone": (CHAT, {"messages": USER, "top_logprobs": 2}, 400, "invalid_request_error",
                  "top_logprobs"),
    "long": (CHAT, {"messages": [{"role": "user", "content": "x" * 200}]}, 400,
             "context_length_exceeded", "messages"),
    "long prompt": (TEXT, {"prompt": "x" * 201}, 400, "context_length_exceeded", "prompt"),
    "prompts": (TEXT, {"prompt": ["a", "b"]}, 400, "invalid_request_error", "prompt"),
    "long input": (EMBED, {"input": ["a", "x" * 201]}, 400, "context_length_exceeded", "input[1]"),
    "no input": (EMBED, {"input": []}, 400, "invalid_request_error", "input"),
    "dimensions": (EMBED, {"input": "a", "dimensions": 3}, 400, "unsupported_parameter",
                   "dimensions"),
    "engine's own": (CHAT, {"messages": [{"role": "user", "content": "refuse"}]}, 503,
                     "unwilling", None),
    "engine broke": (CHAT, {"messages": [{"role": "user", "content": "fail now"}]}, 502,
                     "upstream_error", None),
    "route": ("/v1/nothing", {}, 404, "not_found", None),
    "listing of files": ("/../../etc/passwd", None, 404, "not_found", None),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_refused_says_why_in_the_wires_shape(
    start: Start, case: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path, body, status, code, param = REFUSED[case]
    client = start()
    told = client.ask(path, body)
    assert (told[0], told[1]["error"]["code"], told[1]["error"]["param"]) == (status, code, param)
    assert told[1]["error"]["message"] and "/srv" not in json.dumps(told[1])
    assert client.chat("still")[0] == 200, "the next is served"


def test_a_prompt_that_does_not_fit_is_refused_with_its_numbers(start: Start) -> None:
    status, body = start(context_length=50).chat("x" * 60)
    assert status == 400
    assert (body["error"]["n_prompt_tokens"], body["error"]["n_ctx"]) == (60, 50)
    assert "50 tokens" in body["error"]["message"]


def test_an_answer_that_fills_the_context_ends_there(start: Start) -> None:
    _, body = start(context_length=50).chat("endless " + "x" * 22)
    assert body["usage"]["total_tokens"] == 50
    assert body["choices"][0]["finish_reason"] == "length"


@pytest.mark.parametrize("key", ["", "wrong", "the-key ", "THE-KEY"])
def test_a_wrong_key_reaches_nothing(start: Start, key: str) -> None:
    client = start()
    for path, body in (("/health", None), ("/v1/models", None), (CHAT, {}), ("/nowhere", None)):
        status, told = client.ask(path, body, key=key)
        assert (status, told["error"]["code"]) == (401, "invalid_api_key")


def test_a_body_too_large_is_not_read(start: Start) -> None:
    client = start()
    with socket.create_connection(("127.0.0.1", client.server.port), patience(10)) as raw:
        head = f"POST {CHAT} HTTP/1.1\r\nAuthorization: Bearer {KEY}\r\n"
        raw.sendall(f"{head}Content-Length: {engine_server.MOST_BODY + 1}\r\n\r\n".encode())
        answer = raw.makefile("rb").read()
    assert answer.startswith(b"HTTP/1.1 413 ") and b"request_too_large" in answer


POST = b"POST /v1/completions HTTP/1.1\r\nAuthorization: Bearer the-key\r\n"


@pytest.mark.parametrize(
    "sent",
    [
        b"GARBAGE\r\n\r\n",
        b"PUT /v1/models HTTP/1.1\r\n\r\n",
        b"GET /" + b"x" * 70_000 + b" HTTP/1.1\r\n\r\n",
        POST + b"\r\n",
        POST + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        POST + b"Content-Length: -4\r\n\r\n",
    ],
    ids=["garbage", "method", "long line", "no length", "two lengths", "negative"],
)
def test_what_is_no_request_is_answered_and_let_go(start: Start, sent: bytes) -> None:
    client = start()
    with socket.create_connection(("127.0.0.1", client.server.port), patience(10)) as raw:
        raw.sendall(sent)
        answer = raw.makefile("rb").read()
    assert b'{"error":' in answer
    assert client.chat("still")[0] == 200


# -- faults in the middle --------------------------------------------------------------------


def test_an_engine_that_breaks_in_a_stream_ends_it_with_an_error(
    start: Start, capsys: pytest.CaptureFixture[str]
) -> None:
    said = lawful(start().stream("fail now"))
    assert said.text == "fail " and said.error is not None
    assert said.error["code"] == "upstream_error" and "secret" not in said.error["message"]
    assert "/srv/secret/path is broken" in capsys.readouterr().err


@pytest.mark.parametrize("stream", [True, False])
def test_a_client_that_goes_away_ends_its_generation(start: Start, stream: bool) -> None:
    client = start(context_length=10**9)
    if stream:
        connection, _ = client.begin("endless")
    else:
        connection = client.connect()
        body = {"messages": [{"role": "user", "content": "endless"}]}
        connection.request("POST", CHAT, json.dumps(body), {"Authorization": f"Bearer {KEY}"})
        assert eventually(lambda: client.figures["generated_tokens"] > 10)
    assert client.figures["running"] == 1
    connection.sock.shutdown(socket.SHUT_RDWR)
    connection.close()
    assert eventually(lambda: client.figures["cancelled"] == 1)
    figures = client.figures
    assert figures["running"] == 0 and client.engine.open_answers == 0
    assert client.chat("hi")[0] == 200
    assert client.figures["generated_tokens"] == figures["generated_tokens"] + 2


def test_who_waits_and_goes_away_gives_its_place_in_the_queue_up(start: Start) -> None:
    client = start(context_length=10**9)
    first, _ = client.begin("endless")
    waiting = client.connect()
    body = json.dumps({"messages": USER})
    waiting.request("POST", CHAT, body, {"Authorization": f"Bearer {KEY}"})
    assert eventually(lambda: client.figures["waiting"] == 1)
    waiting.sock.shutdown(socket.SHUT_RDWR)
    waiting.close()
    assert eventually(lambda: client.figures["waiting"] == 0)
    first.sock.shutdown(socket.SHUT_RDWR)
    first.close()
    assert eventually(lambda: client.figures["running"] == 0)


def test_a_full_queue_is_refused_at_once(start: Start) -> None:
    client = start(context_length=10**9, most_waiting=0)
    first, _ = client.begin("endless")
    connection, response = client.send(CHAT, {"messages": USER})
    assert response.status == 429 and response.headers["Retry-After"] == "5"
    assert json.loads(response.read())["error"]["code"] == "queue_full"
    assert client.figures["refused"] == 1
    for each in (connection, first):
        each.close()


def test_two_clients_take_turns(start: Start) -> None:
    """Both are endless: neither would get a token were the other served to its end first."""
    client = start(context_length=10**9, parallel=2)
    pairs = [client.begin("endless") for _ in range(2)]
    for _ in range(30):
        for _, response in pairs:
            assert response.readline() is not None
    assert client.figures["running"] == 2
    for connection, _ in pairs:
        connection.sock.shutdown(socket.SHUT_RDWR)
        connection.close()
    assert eventually(lambda: client.figures["cancelled"] == 2)


# -- the life of the server ------------------------------------------------------------------


def test_until_it_is_loaded_it_says_so() -> None:
    server = EngineServer(SpellingEngine({}), 0, KEY)
    server.start()
    client = Client(server, SpellingEngine({}))
    for path, body in (("/health", None), (CHAT, {"messages": USER})):
        status, told = client.ask(path, body)
        assert (status, told["error"]["code"]) == (503, "model_loading")
    server.load()
    assert client.ask("/health")[0] == 200
    server.stop()


def test_at_its_end_answers_get_a_moment_then_an_error(start: Start) -> None:
    client = start(context_length=10**9)
    connection, response = client.begin("endless")
    waiting: list[tuple[int, Any]] = []
    queued = threading.Thread(target=lambda: waiting.append(client.chat("hi")))
    queued.start()
    assert eventually(lambda: client.figures["waiting"] == 1)
    client.server.stop(drain=0.2)
    queued.join(patience(20))
    assert waiting[0][0] == 503 and waiting[0][1]["error"]["code"] == "engine_stopped"
    said = lawful(b"data: " + response.read().partition(b"data: ")[2])
    connection.close()
    assert said.error is not None and said.error["code"] == "engine_stopped"
    assert client.engine.open_answers == 0 and client.engine.closed
