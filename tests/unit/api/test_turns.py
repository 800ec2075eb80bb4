"""Everybody has a turn: what is long is worked on in pieces, and the event loop turns between them.

Turns are counted, never time.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import pytest
from starlette.responses import JSONResponse

from tests.unit.turns import counted_turns
from venom_core.api import json_pieces, language, received_bodies, routing
from venom_core.api.json_pieces import long_json
from venom_core.api.language import in_language
from venom_core.language import polish as polish_module
from venom_core.language.polish import LONGEST, MOST_SENTENCES, polish
from venom_core.sdk.turns import SMALL, in_turn, written_in_turn
from venom_core.testing import scripted
from venom_core.testing.scripted import Script, answer

TEXT = "a" * SMALL


@pytest.fixture(autouse=True)
def model() -> None:
    scripted.SCRIPTS["m"] = Script(answer("x"))


async def test_large_bodies_are_read_in_different_turns() -> None:
    async with counted_turns() as turns:
        read = await asyncio.gather(*(in_turn(SMALL + 1, lambda: turns.count) for _ in range(12)))
    assert len(set(read)) == 12


async def test_small_ones_wait_for_nobody() -> None:
    async with counted_turns() as turns:
        read = await asyncio.gather(*(in_turn(SMALL, lambda: turns.count) for _ in range(12)))
    assert len(set(read)) == 1


async def test_large_ones_are_written_in_different_turns() -> None:
    async def one(size: int) -> tuple[int, int]:
        written_at = 0

        def work() -> bytes:
            nonlocal written_at
            written_at = turns.count
            return b"a" * size

        return len(await written_in_turn(work)), written_at

    async with counted_turns() as turns:
        large = await asyncio.gather(*(one(SMALL + 1) for _ in range(12)))
        small = await asyncio.gather(*(one(SMALL) for _ in range(12)))
    assert len({turn for _, turn in large}) == 12
    assert len({turn for _, turn in small}) == 1
    assert {size for size, _ in large} == {SMALL + 1}


async def test_a_body_that_cannot_be_read_gives_its_turn_back() -> None:
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            await asyncio.wait_for(in_turn(SMALL + 1, lambda: 1 // 0), 10)


CHAT = {"model": "m", "messages": [{"role": "user", "content": TEXT}]}
SESSION = {"format": "venom-session", "version": 1, "title": "a", "messages": [
    {"id": "1", "role": "user", "content": TEXT}
]}  # fmt: skip


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/chat/completions", CHAT),
        ("/v1/completions", {"model": "m", "prompt": TEXT}),
        ("/v1/embeddings", {"model": "m", "input": TEXT}),
        ("/api/v1/sessions/import", SESSION),
    ],
)
async def test_every_route_with_a_large_body_waits_for_its_turn(
    client: httpx.AsyncClient,
    monkeypatch: pytest.MonkeyPatch,
    path: str,
    body: dict[str, Any],
) -> None:
    sizes: list[int] = []

    async def noted(size: int, work: Any) -> Any:
        sizes.append(size)
        return await in_turn(size, work)

    monkeypatch.setattr(received_bodies, "in_turn", noted)
    response = await client.post(path, json=body)
    assert response.status_code == 200
    assert sizes == [len(response.request.content)]


ROWS = [{"n": number, "text": "ż\n", "vector": [0.1, 1e-9, -3.0]} for number in range(50)]


async def test_a_long_answer_is_what_a_short_way_would_write() -> None:
    told = {"object": "list", "data": ..., "usage": {"total": 1}}
    made = await long_json(told, ROWS, {"X-A": "b"})
    assert made.body == JSONResponse({**told, "data": ROWS}).body
    assert made.headers["x-a"] == "b"
    assert made.headers["content-type"] == "application/json"
    assert (await long_json({"data": ...}, [])).body == b'{"data":[]}'


async def test_a_long_answer_is_made_in_many_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_pieces, "PIECE", 200)
    async with counted_turns() as turns:
        made = await long_json({"data": ...}, ROWS)
    assert turns.count >= len(made.body) // 400


async def test_vectors_are_written_one_by_one(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(json_pieces, "PIECE", 1)
    async with counted_turns() as turns:
        body = {"model": "m", "input": ["a"] * 500}
        response = await client.post("/v1/embeddings", json=body)
    assert [row["index"] for row in response.json()["data"]] == list(range(500))
    assert turns.count > 2 * 500  # they are checked one by one as well


@pytest.mark.parametrize("path", ["", "/export"])
async def test_messages_are_written_one_by_one(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    messages = [{"id": str(n), "role": "user", "content": "a"} for n in range(500)]
    made = await client.post("/api/v1/sessions/import", json={**SESSION, "messages": messages})
    monkeypatch.setattr(json_pieces, "PIECE", 1)
    async with counted_turns() as turns:
        whole = await client.get(f"/api/v1/sessions/{made.json()['session']['id']}{path}")
    assert len(whole.json()["messages"]) == 500
    assert turns.count > 500


async def test_words_of_many_models_are_looked_for_beside_the_event_loop(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_loop: list[bool] = []

    def looked(payload: Any, spoken: Any) -> Any:
        on_loop.append(asyncio._get_running_loop() is not None)
        return in_language(payload, spoken)

    monkeypatch.setattr(language, "in_language", looked)
    response = await client.get("/api/v1/models", headers={"Accept-Language": "pl"})
    assert response.headers["content-language"] == "pl"
    assert on_loop
    assert not any(on_loop)


@pytest.mark.parametrize(
    ("text", "share"),
    [
        ("a. " * (MOST_SENTENCES + 2), 0),
        ("There is no key k. " * 10_000, 0),
        ("a" * (LONGEST + 1), 0),
        ("There is no key k.", 0.3),
        ("Words of somebody. They say nothing of ours.", 0.9),  # of three times all
    ],
    ids=["sentences", "ours, too often", "letters", "ours", "not ours"],
)
def test_few_templates_are_looked_at(
    monkeypatch: pytest.MonkeyPatch, text: str, share: float
) -> None:
    polish_module._polish.cache_clear()
    looks = 0
    match = polish_module._Template.match

    def counted(self: Any, said: str) -> Any:
        nonlocal looks
        looks += 1
        return match(self, said)

    monkeypatch.setattr(polish_module._Template, "match", counted)
    said = polish(text)
    assert looks <= share * len(polish_module._catalogue(terminal=False)._holed)
    assert said == (text if "key k" not in text or share == 0 else "Nie ma klucza k.")


def test_the_index_hides_no_template() -> None:
    """Each template is found by a sentence that is made from it, as it was when all were looked
    at."""
    catalogue = polish_module._catalogue(terminal=False)
    for template in catalogue._holed:
        text = "hole".join(template.parts)
        holes = [one for one in catalogue._holed if one.match(text) is not None]
        assert catalogue.find(text, None) == catalogue._filled(
            holes[0].polish, holes[0].match(text) or []
        ), text


def test_json_of_a_keyed_route_is_read_once() -> None:
    """FastAPI takes what was read in its turn; what is no JSON is left for it to refuse."""
    request = type("Request", (), {})()
    routing._read(request, json.dumps(SESSION).encode())
    assert request._json == SESSION
    other = type("Request", (), {})()
    routing._read(other, b"{")
    assert (other._body, hasattr(other, "_json")) == (b"{", False)
