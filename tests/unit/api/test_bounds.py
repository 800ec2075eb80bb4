"""One request, everybody waits: what is counted before it is worked on, and who is asked first.

Nothing here measures time: the work itself is counted (errors built, bytes read, values made).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import httpx
import pytest
from starlette.requests import Request
from starlette.types import Message

from tests.unit.api.conftest import MakeVenom
from tests.unit.api.test_security import routes_of
from venom_core.api import app as application
from venom_core.api import bodies
from venom_core.api.app import create_app
from venom_core.api.scopes import NOTHING, scopes_of
from venom_core.api.validation import invalid
from venom_core.sdk import bounded_json
from venom_core.sdk.errors import InvalidRequest
from venom_core.testing import scripted
from venom_core.testing.scripted import Script, answer
from venom_core.testing.staging import client_of

MANY = 100_000
#: Nearly as many as there may be of objects and lists.
OBJECTS = 30_000
TURN = {"role": "user", "content": "hi"}
#: Where a body is checked field by field, a few of them may be told of at once.
FEW = 12


@pytest.fixture(autouse=True)
def model() -> None:
    scripted.SCRIPTS["m"] = Script(answer("x"))


@pytest.fixture
def errors(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Count the errors that pydantic has built, refusal by refusal."""
    built: list[int] = []

    def counted(errors: Sequence[Any], place: str = "") -> InvalidRequest:
        built.append(len(errors))
        return invalid(errors, place)

    for user in (bodies, application):
        monkeypatch.setattr(user, "invalid", counted)
    return built


def chat(**fields: Any) -> dict[str, Any]:
    return {"model": "m", "messages": [TURN], **fields}


def session(**fields: Any) -> dict[str, Any]:
    return {"format": "venom-session", "version": 1, "messages": [], **fields}


UNKNOWN = {f"unknown{number}": 1 for number in range(MANY)}
CHAT, COMPLETION, EMBED = "/v1/chat/completions", "/v1/completions", "/v1/embeddings"
RESPONSES, MESSAGES = "/v1/responses", "/v1/messages"
SIMPLE, IMPORT = "/api/v1/llm/simple/stream", "/api/v1/sessions/import"
WRONG = [
    pytest.param(CHAT, chat(messages=[{**TURN, "content": [1] * MANY}]), id="parts"),
    pytest.param(CHAT, chat(messages=[1] * MANY), id="messages"),
    pytest.param(CHAT, chat(messages=[{}] * OBJECTS), id="messages without a role"),
    pytest.param(CHAT, chat(messages=[{**TURN, "tool_calls": [1] * MANY}]), id="tool calls"),
    pytest.param(CHAT, chat(tools=[1] * MANY), id="tools"),
    pytest.param(CHAT, chat(tools=[{}] * OBJECTS), id="more tools than there are"),
    pytest.param(CHAT, chat(stop=[1] * MANY), id="stops"),
    pytest.param(CHAT, chat(stop=["a"] * MANY), id="more stops than there are"),
    pytest.param(CHAT, chat(logit_bias={str(n): "a" for n in range(1000)}), id="bias"),
    pytest.param(CHAT, chat(logit_bias={str(n): 1 for n in range(MANY)}), id="a long bias"),
    pytest.param(CHAT, chat(model="m" * MANY), id="a name"),
    pytest.param(CHAT, {**chat(), **UNKNOWN}, id="fields of a chat"),
    pytest.param(CHAT, chat(**{"x" * MANY: 1}), id="the name of a field"),
    pytest.param(COMPLETION, {"model": "m", "prompt": [1] * MANY}, id="prompts"),
    pytest.param(EMBED, {"model": "m", "input": [[1.5]] * OBJECTS}, id="inputs"),
    pytest.param(EMBED, {"model": "m", "input": ["a"] * MANY}, id="more inputs than there are"),
    pytest.param(MESSAGES, {**chat(messages=[1] * MANY), "max_tokens": 1}, id="turns"),
    pytest.param(MESSAGES, {**chat(messages=[{}] * OBJECTS), "max_tokens": 1}, id="empty turns"),
    pytest.param(
        MESSAGES, {**chat(messages=[{**TURN, "content": [1] * MANY}]), "max_tokens": 1}, id="blocks"
    ),
    pytest.param(MESSAGES, {**chat(), **UNKNOWN, "max_tokens": 1}, id="fields of a message"),
    pytest.param(RESPONSES, {"input": [1] * MANY}, id="items"),
    pytest.param(RESPONSES, {"input": [{}] * OBJECTS}, id="empty items"),
    pytest.param(RESPONSES, {"input": [{**TURN, "content": [1] * MANY}]}, id="parts of an item"),
    pytest.param(RESPONSES, {"input": "hi", **UNKNOWN}, id="fields of a response"),
    pytest.param(RESPONSES, {"input": "hi", "include": ["a"] * MANY}, id="what is included"),
    pytest.param(SIMPLE, {"content": "hi", "tools": [1] * MANY}, id="tools of a question"),
    pytest.param(SIMPLE, {"content": "hi", **UNKNOWN}, id="fields of a question"),
    pytest.param(SIMPLE, {"content": "hi", "x" * MANY: 1}, id="the name of a question's field"),
    pytest.param(IMPORT, session(messages=[1] * MANY), id="messages of an import"),
    pytest.param(IMPORT, session(messages=[{}] * OBJECTS), id="empty messages of an import"),
    pytest.param(IMPORT, session(**UNKNOWN), id="fields of an import"),
    pytest.param("/api/v1/models/m/config", {"params": UNKNOWN}, id="parameters of a model"),
    pytest.param("/api/v1/models/aliases", UNKNOWN, id="fields of an alias"),
]


@pytest.mark.parametrize(("path", "body"), WRONG)
async def test_no_more_than_the_first_error_is_built(
    make_venom: MakeVenom, errors: list[int], path: str, body: dict[str, Any]
) -> None:
    async with client_of(make_venom()) as client:
        response = await client.post(path, json=body)
    assert 400 <= response.status_code < 500
    assert sum(errors) <= FEW
    assert len(response.content) < 4096


VALUES = [b"[],", b"{},", b"1,", b'"a",', b'{"a":"b"},', b"[[[]]],"]


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize("path", [CHAT, COMPLETION, EMBED, RESPONSES, MESSAGES, SIMPLE, IMPORT])
async def test_a_body_of_too_many_values_is_refused_before_one_is_made(
    client: httpx.AsyncClient, path: str, value: bytes
) -> None:
    made: list[str] = []
    raw = b'{"messages":[' + value * 400_000 + b"1]}"
    headers = {"Content-Type": "application/json"}
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(bodies, "from_json", lambda *_, **__: made.append("a value"))
        patched.setattr(Request, "json", lambda *_: made.append("a value"))
        response = await client.post(path, content=raw, headers=headers)
    assert response.status_code == 413
    assert made == []
    assert "320,000 JSON values" in response.text
    assert "32,000 of them are objects and lists" in response.text


@pytest.mark.parametrize(
    "text",
    ["hello, world [1] {2} " * 50_000, '\\", [' * 200_000, "\\\\,[" * 200_000, "," * 1_000_000],
    ids=["prose", "quotes", "backslashes", "commas"],
)
async def test_a_long_text_is_one_value(client: httpx.AsyncClient, text: str) -> None:
    response = await client.post(CHAT, json=chat(messages=[{**TURN, "content": text}]))
    assert response.status_code == 200
    assert scripted.SEEN.requests[-1].body["messages"][0]["content"] == text


@pytest.mark.parametrize(
    ("text", "values"),
    [(b"[1,2,3]", 3), (b'{"a":[{},{}],"b":"],[{,"}', 5), (b'["\\\\",1,"\\",[["]', 3), (b"7", 0)],
)
def test_values_are_counted_outside_texts(text: bytes, values: int) -> None:
    bounded_json.check_values(text, max(values + 1, 1))
    if values:
        with pytest.raises(bounded_json.TooManyValues):
            bounded_json.check_values(text, values - 1)


def test_nesting_without_end_is_no_json() -> None:
    with pytest.raises(ValueError, match="nested"):
        bounded_json.loads(b"[" * 150_000)


async def test_every_route_asks_for_the_key_before_it_reads(make_venom: MakeVenom) -> None:
    venom = make_venom()
    venom.store.keys().create("somebody")
    app = create_app(venom)
    asked = 0
    async with app.router.lifespan_context(app):
        for method, path in routes_of(app):
            if method == "HEAD" or path.endswith(
                ("/healthz", "/health", "/readyz", "/openapi.json")
            ):
                continue
            status, read = await called(app, method, path)
            if scopes_of(method, path) == NOTHING:
                assert read <= 2 * 65_536, path
                continue
            asked += 1
            assert (status, read) == (401, 0), f"{method} {path}"
    assert asked > 40


async def called(app: Any, method: str, path: str) -> tuple[int, int]:
    """Return the status, and the bytes that were read of a body of 8 MB before it."""
    read, status = 0, 0

    async def receive() -> Message:
        nonlocal read
        read += 65_536
        return {"type": "http.request", "body": b"[" * 65_536, "more_body": read < 8_000_000}

    async def send(message: Message) -> None:
        nonlocal status
        status = status or message.get("status", 0)

    path = path.replace("{", "").replace("}", "").replace(":path", "")
    scope = {
        "type": "http", "method": method, "path": path, "raw_path": path.encode(),
        "query_string": b"", "root_path": "", "scheme": "http", "http_version": "1.1",
        "headers": [(b"host", b"127.0.0.1"), (b"content-type", b"application/json")],
        "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 8366), "state": {},
    }  # fmt: skip
    await app(scope, receive, send)
    return status, read
