"""The id of a request, in every answer and every line of the log, and the line of the request."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import httpx
import pytest

from tests.unit.api.conftest import MakeVenom
from venom_core.sdk.errors import UpstreamError
from venom_core.sdk.request_ids import CURRENT
from venom_core.testing import scripted
from venom_core.testing.scripted import Script, answer, say
from venom_core.testing.staging import client_of

CHAT = "/v1/chat/completions"
BODY = {"model": "m", "messages": [{"role": "user", "content": "the prompt"}]}
ACCESS = "venom_core.api.access_log"


class Lines(logging.Handler):
    """Keeps each record's logger, text and request id, as a formatter sees them."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: list[tuple[str, str, str | None]] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.kept.append((record.name, record.getMessage(), CURRENT.get()))

    def of(self, name: str) -> list[tuple[str, str | None]]:
        return [(text, request_id) for logger, text, request_id in self.kept if logger == name]


@pytest.fixture
def lines() -> Iterator[Lines]:
    handler, root = Lines(), logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel("INFO")
    yield handler
    root.setLevel(level)
    root.removeHandler(handler)


@pytest.fixture(autouse=True)
def _models() -> None:
    scripted.SCRIPTS["m"] = Script(answer("x"))
    scripted.SCRIPTS["s"] = Script(say("x"))


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/healthz", None, 200),
        ("GET", "/v1/models", None, 200),
        ("GET", "/v1/no-such-route", None, 404),
        ("GET", "/api/v1/overview", None, 200),
        ("GET", "/api/v1/no-such-route", None, 404),
        ("POST", "/api/v1/models/aliases", {"nothing": 1}, 422),
        ("POST", CHAT, BODY, 200),
        ("POST", CHAT, {**BODY, "model": "s", "stream": True}, 200),
        ("POST", CHAT, {**BODY, "model": "gone"}, 404),
        ("POST", CHAT, {"model": "m"}, 400),
        ("PUT", CHAT, None, 405),
    ],
)
async def test_every_answer_names_its_request(
    client: httpx.AsyncClient, method: str, path: str, body: object, status: int
) -> None:
    headers = {"X-Request-Id": "mine-1"}
    answer = await client.request(method, path, json=body, headers=headers)
    assert answer.status_code == status
    assert answer.headers.get_list("x-request-id") == ["mine-1"]
    made = [(await client.request(method, path, json=body)).headers["x-request-id"] for _ in "ab"]
    assert made[0] != made[1] and all(one.startswith("req-") for one in made)


@pytest.mark.parametrize("foreign", ["x" * 65, "a b", "a,b", "\x7f", "a;b"])
async def test_an_id_that_is_none_is_made_anew(client: httpx.AsyncClient, foreign: str) -> None:
    answer = await client.get("/healthz", headers={"X-Request-Id": foreign})
    assert answer.headers["x-request-id"].startswith("req-")
    two = await client.get("/healthz", headers=[("X-Request-Id", "a"), ("X-Request-Id", "b")])
    assert two.headers["x-request-id"].startswith("req-")


async def test_a_refusal_before_any_route_names_it_too(client: httpx.AsyncClient) -> None:
    for path in (CHAT, "/api/v1/overview"):
        headers = {"Host": "evil.example", "X-Request-Id": "mine-1"}
        answer = await client.get(path, headers=headers)
        assert (answer.status_code, answer.headers["x-request-id"]) == (403, "mine-1")


async def test_what_is_asked_or_refused_has_a_line_and_reading_has_none(
    client: httpx.AsyncClient, lines: Lines
) -> None:
    headers = {"X-Request-Id": "mine-1"}
    for path in ("/healthz", "/v1/models", "/api/v1/overview"):
        assert (await client.get(path, headers=headers)).status_code == 200
    assert lines.of(ACCESS) == []
    query = {"key": "the-secret-of-a-query"}
    await client.post(CHAT, json=BODY, headers=headers, params=query)
    await client.get("/api/v1/none%0Aof%1B%5B1m", headers=headers, params=query)
    asked, refused = lines.of(ACCESS)
    assert asked[0].startswith(f"POST {CHAT} 200 in ") and asked[1] == "mine-1"
    assert refused[0].startswith("GET /api/v1/none\\nof\\x1b[1m 404 in ")
    ours = [text for name, text, _ in lines.kept if name != "httpx"]  # the client's own line
    assert not [text for text in ours if "secret" in text or "the prompt" in text]


async def test_what_goes_wrong_within_is_told_with_the_id(
    make_venom: MakeVenom, lines: Lines
) -> None:
    scripted.SCRIPTS["m"] = Script([RuntimeError("of a plugin")])
    async with client_of(make_venom()) as client:
        answer = await client.post(CHAT, json=BODY, headers={"X-Request-Id": "mine-1"})
        assert answer.status_code >= 500
    told = [request_id for name, _, request_id in lines.kept if name != ACCESS]
    assert told and set(told) == {"mine-1"}


async def test_a_stream_that_fails_keeps_its_id(make_venom: MakeVenom, lines: Lines) -> None:
    scripted.SCRIPTS["m"] = Script([UpstreamError("no")])
    async with client_of(make_venom()) as client:
        body = {**BODY, "stream": True}
        answer = await client.post(CHAT, json=body, headers={"X-Request-Id": "mine-2"})
    assert answer.headers["x-request-id"] == "mine-2"
    assert [request_id for _, request_id in lines.of(ACCESS)] == ["mine-2"]


async def test_one_request_has_one_id_in_the_audit_trail_too(client: httpx.AsyncClient) -> None:
    changed = await client.post("/api/v1/models/aliases", json={"name": "a", "target": "m"})
    assert changed.status_code < 300, changed.text
    trail = (await client.get("/api/v1/audit")).json()
    assert trail["entries"][0]["request_id"] == changed.headers["x-request-id"]
