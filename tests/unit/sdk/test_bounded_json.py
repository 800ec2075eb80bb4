"""JSON of strangers: values are counted, and nothing beyond the bound is looked at."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.unit.turns import counted_turns
from venom_core.sdk import bounded_json, cleaning, masking, openai_engine
from venom_core.sdk.bounded_json import MOST_ROWS, MOST_VALUES, TooManyValues, check_values, rows
from venom_core.sdk.cleaning import cleaned
from venom_core.sdk.errors import UpstreamError
from venom_core.sdk.masking import MASK, keep_secret, masked
from venom_core.sdk.messages import Embeddings
from venom_core.sdk.prefill import without_beginning


@pytest.fixture
def looked_at(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return where the pieces are noted that are read for good, by their sizes."""
    sizes: list[int] = []
    slices = bounded_json._slices

    def noted(text: bytes) -> Iterator[bytes]:
        for piece in slices(text):
            sizes.append(len(piece))
            yield piece

    monkeypatch.setattr(bounded_json, "_slices", noted)
    return sizes


def test_no_more_is_looked_at_than_to_the_first_value_too_many(looked_at: list[int]) -> None:
    with pytest.raises(TooManyValues):
        check_values(b"[],[]," * 3_000_000, 1000)
    assert sum(looked_at) < 200_000


@pytest.mark.parametrize("piece", [1, 2, 3, 7])
@pytest.mark.parametrize(
    "text",
    [r'["\\",1,"\\\"[[[",{"a":[2,3]}]', r'{"\\\\":"\\\\\"",",":[[],{},"[{"]}', '["a","b\\\\"]'],
)
def test_pieces_end_inside_no_escape(
    monkeypatch: pytest.MonkeyPatch, text: str, piece: int
) -> None:
    monkeypatch.setattr(bounded_json, "_SLICE", piece)
    raw = text.encode()
    assert b"".join(bounded_json._slices(raw)) == raw

    def begun(value: Any) -> int:
        items = value.values() if isinstance(value, dict) else value
        if not isinstance(value, dict | list):
            return 0
        return 1 + max(len(value) - 1, 0) + sum(map(begun, items))

    count = begun(json.loads(text))
    check_values(raw, count)
    with pytest.raises(TooManyValues):
        check_values(raw, count - 1)


def test_objects_and_lists_have_a_bound_of_their_own() -> None:
    text = json.dumps([{"a": 1}] * 100 + [1] * 500).encode()
    check_values(text, 1000, 101)
    with pytest.raises(TooManyValues):
        check_values(text, 1000, 100)
    check_values(b'["' + b"[{" * 5000 + b'"]', 10_000, 1)


def listing(count: int, **more: str) -> bytes:
    data = [{"id": f"organisation/name-{n}", **more} for n in range(count)]
    return json.dumps({"object": "list", "data": data}).encode()


@pytest.mark.parametrize("count", [1, MOST_ROWS + 1, 150_000, 300_000])
def test_of_a_listing_the_first_rows_are_made(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    made = 0
    decode = json.JSONDecoder.raw_decode

    def counted(self: json.JSONDecoder, *text: Any, **place: Any) -> Any:
        nonlocal made
        made += 1
        return decode(self, *text, **place)

    monkeypatch.setattr(json.JSONDecoder, "raw_decode", counted)
    found = rows(listing(count), "data")
    assert [row["id"] for row in found[:2]] == [
        f"organisation/name-{n}" for n in range(min(count, 2))
    ]
    assert len(found) == min(count, MOST_ROWS + 1)
    assert made <= MOST_ROWS + 1


@pytest.mark.parametrize(
    ("text", "count"),
    [
        (listing(1, summary="," * MOST_VALUES), 0),
        (listing(3000, summary="," * 1000), 300),
        (b'{"data": [' + b'{"id": "a"}, ' * 5 + b"[" * 400_000, 5),
        (b'{"data": [' + b'{"id": "a"}, ' * 5 + b'}' + b"1," * MOST_VALUES, 5),
    ],
    ids=["one row is too long", "rows beyond the bound", "nesting without end", "no JSON"],
)  # fmt: skip
def test_of_a_cut_listing_whole_rows_are_taken(text: bytes, count: int) -> None:
    if not count:
        with pytest.raises(ValueError, match="no row"):
            rows(text, "data")
        return
    found = rows(text, "data")
    assert 0.7 * count < len(found) <= count
    assert all(row["id"] for row in found)


async def test_a_list_without_end_is_no_vector() -> None:
    with pytest.raises(TooManyValues):
        await bounded_json.loads_vectors(b'{"data":[{"embedding":[' + b"1," * 3_000_000)


async def test_vectors_are_read_one_by_one() -> None:
    row = [0.25] * 1000
    text = json.dumps({"data": [{"index": n, "embedding": row} for n in range(300)]}).encode()
    async with counted_turns() as turns:
        found = await openai_engine.parse_embeddings(text, 300)
    assert found.vectors == (tuple(row),) * 300
    assert turns.count >= 300


def test_numbers_are_not_looked_through_for_words(monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[object] = []
    look = cleaning._cleaned

    def noted(value: Any) -> Any:
        looks.append(value)
        return look(value)

    monkeypatch.setattr(cleaning, "_cleaned", noted)
    answer = Embeddings(((0.5,) * 1000,) * 3, 3)
    assert cleaned(answer) is answer
    assert len(looks) <= 3


def test_a_beginning_is_taken_off_no_endless_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[object] = []
    monkeypatch.setattr(json, "loads", made.append)
    data = b'{"timings":{},"choices":[' + b"[]," * 400_000 + b"1]}"
    assert without_beginning(data, [{"role": "assistant", "content": "a"}]) is data
    assert made == []


SECRET = "sk-abcdefgh-sk-abcdefgh-tail"


@pytest.mark.parametrize("cut", range(1, len(SECRET) + 1))
@pytest.mark.parametrize("before", ["", "the key ", "sk-abcdefgh-", "sk-abcdefgh"])
def test_where_a_text_was_cut_the_beginning_of_a_secret_is_masked(cut: int, before: str) -> None:
    """As it was found when every length was tried."""
    keep_secret(SECRET)
    text = f"{before}{SECRET[:cut]}... "
    whole = text.replace(SECRET, MASK)
    end, expected = whole.rstrip(".… "), whole
    for length in range(min(len(SECRET) - 1, len(end)), 7, -1):
        if end.endswith(SECRET[:length]):
            expected = end[:-length] + MASK
            break
    assert masked(text) == expected
    masking.forget_secret(SECRET)


async def test_a_listing_beyond_the_bytes_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    class Response:
        async def aiter_raw(self) -> Any:
            while True:
                yield b"x" * 65_536

    with pytest.raises(UpstreamError, match="too large"):
        await openai_engine.read_bounded(Response(), bounded_json.MAX_LISTING_BYTES)  # type: ignore[arg-type]
