"""Numbers of strangers: what cannot be counts as not given, is said once, and holds up nobody."""

from __future__ import annotations

import json
import logging
import math
import sqlite3
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from tests.unit.api.conftest import MakeVenom
from tests.unit.guards import guarded
from venom_core.accounting.quotas import Quotas
from venom_core.sdk import numbers
from venom_core.sdk.architecture import MemoryPlan
from venom_core.sdk.catalogue import CatalogueEntry, RepositoryCard, RepositoryFile, SearchPage
from venom_core.sdk.errors import RateLimited, UpstreamError, restored
from venom_core.sdk.frames import Answer, Choice, Chunk, Frame, FrameKind, Usage, delta, finish
from venom_core.sdk.memory_estimate import MemoryNeed
from venom_core.sdk.messages import ChatRequest, Embeddings, EmbedRequest
from venom_core.sdk.openai_engine import parse_embeddings
from venom_core.sdk.plausible import plausible_frame
from venom_core.sdk.provider import EngineStatus, LoadedModel, Model, PullPlan, PullProgress
from venom_core.store.database import open_database
from venom_core.store.keys import KeyRepository, KeyRights
from venom_core.store.ledger import MOST, Line, Range, Tally, UsageRepository
from venom_core.testing import scripted
from venom_core.testing.scripted import Script, say
from venom_core.testing.staging import client_of

CHAT = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
ALL = Range("0000-01-01", "9999-12-31")
#: What is no count, wherever one is expected.
STRANGE: list[Any] = [
    10**30, 2**63 - 1, 2**63, -1, -(2**63), True, False, 1.5, 4.0, 1e999, math.nan, "12", [], {},
]  # fmt: skip
NAMES = [repr(value)[:12] for value in STRANGE]
strange = pytest.mark.parametrize("number", STRANGE, ids=NAMES)
#: Numbers that cannot be count as not given; what is none is not of the declared type.
NUMBERS = [value for value in STRANGE if type(value) in (int, float)]
NO_NUMBERS = [value for value in STRANGE if type(value) not in (int, float)]
impossible = pytest.mark.parametrize("number", NUMBERS, ids=[repr(n)[:12] for n in NUMBERS])
no_number = pytest.mark.parametrize("value", NO_NUMBERS, ids=map(repr, NO_NUMBERS))


@pytest.fixture(autouse=True)
def nothing_said() -> None:
    numbers._said.clear()


# -- token counts ------------------------------------------------------------------------------


def typed(number: Any) -> list[Any]:
    return [delta("a", role="assistant"), delta("b"), finish("stop"),
            Chunk(usage=Usage(number, 5))]  # fmt: skip


def relayed(number: Any) -> list[Any]:
    text = json.dumps({"choices": [], "model": "x", "usage": {
        "prompt_tokens": 5, "completion_tokens": number, "total_tokens": number}})  # fmt: skip
    usage = Frame.raw(FrameKind.USAGE, text.encode())
    return [delta("a", role="assistant"), delta("b"), finish("stop"), usage]


@strange
@pytest.mark.parametrize("steps", [typed, relayed])
async def test_a_usage_that_cannot_be_is_none(
    make_venom: MakeVenom, caplog: pytest.LogCaptureFixture, steps: Any, number: Any
) -> None:
    scripted.SCRIPTS["m"] = Script(steps(number))
    scripted.SCRIPTS["good"] = Script(say("x", usage=Usage(30, 70)))
    venom = make_venom()
    async with client_of(venom) as client:
        body = {**CHAT, "stream": True, "stream_options": {"include_usage": True}}
        for _ in range(2):
            answer = await client.post("/v1/chat/completions", json=body)
            lines = [text for text in answer.text.splitlines() if text.startswith("data: {")]
            events = [json.loads(text[6:], parse_constant=pytest.fail) for text in lines]
            assert answer.text.endswith("data: [DONE]\n\n")
            assert not any(event.get("usage") for event in events)
            assert "error" not in answer.text
        await client.post("/v1/chat/completions", json={**body, "model": "good"})
        await venom.ledger.flush()
        totals = (await client.get("/api/v1/usage/summary")).json()["totals"]
    assert (totals["requests"], totals["without_usage"]) == (3, 2)
    assert (totals["prompt_tokens"], totals["completion_tokens"]) == (30, 70)
    assert all(type(totals[name]) is int for name in ("prompt_tokens", "estimated_tokens"))
    said = [r.getMessage() for r in caplog.records if "counts as not given" in r.getMessage()]
    silent = steps is relayed and isinstance(number, float) and not math.isfinite(number)
    assert len([line for line in said if "usage." in line]) == (0 if silent else 1), said


def test_money_and_details_in_a_usage_stay() -> None:
    details = {"reasoning_tokens": 2, "audio_tokens": 10**40}
    usage = {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": -7, "cost": 0.0012,
             "completion_tokens_details": details}  # fmt: skip
    raw = json.dumps({"choices": [], "usage": usage}).encode()
    found = plausible_frame(Frame.raw(FrameKind.USAGE, raw), "x")
    assert found is not None
    assert found.body["usage"] == {
        "prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7, "cost": 0.0012,
        "completion_tokens_details": {"reasoning_tokens": 2},
    }  # fmt: skip


async def test_a_key_gets_no_tokens_back(make_venom: MakeVenom) -> None:
    venom = make_venom()
    key, _ = venom.store.keys().create("k", KeyRights(tokens_per_day=40))
    scripted.SCRIPTS["m"] = Script(say("x", usage=Usage(20, 20)))
    scripted.SCRIPTS["liar"] = Script(say("x", usage=Usage(-(10**6), -1)))
    async with client_of(venom, headers={"Authorization": f"Bearer {key}"}) as client:
        for name, status in (("m", 200), ("liar", 429), ("m", 429)):
            body = {**CHAT, "model": name, "stream": True}
            answer = await client.post("/v1/chat/completions", json=body)
            assert answer.status_code == status, name


async def test_numbers_that_json_has_not_are_null_to_the_client(client: httpx.AsyncClient) -> None:
    logprobs = {"content": [{"token": "a", "logprob": -math.inf, "top_logprobs": []},
                            {"token": "b", "logprob": math.nan, "top_logprobs": []}]}  # fmt: skip
    choice = Choice(role="assistant", content="ab", finish_reason="stop", logprobs=logprobs)
    scripted.SCRIPTS["m"] = Script([Answer((choice,), Usage(1, 2))])
    answer = await client.post("/v1/chat/completions", json=CHAT)
    found = json.loads(answer.content, parse_constant=pytest.fail)
    tokens = found["choices"][0]["logprobs"]["content"]
    assert [token.get("logprob") for token in tokens] == [None, None]


# -- vectors -----------------------------------------------------------------------------------

VECTORS: list[Any] = [
    (math.nan, 1.0), (math.inf,), (-math.inf, 2.0), (None, 1.0), ("1.5", 1.0), (True, 1.0),
    (1e300, 1.0), (10**400, 1.0), (), [[1.0]], (1.0, math.nan), 7, "12", None,
]  # fmt: skip


@pytest.mark.parametrize("encoding", ["float", "base64"])
@pytest.mark.parametrize("vector", VECTORS, ids=[repr(v)[:16] for v in VECTORS])
async def test_a_vector_that_is_none_is_an_upstream_error(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, vector: Any, encoding: str
) -> None:
    async def embed(self: Any, request: EmbedRequest) -> Embeddings:
        return Embeddings((vector,), 1)

    monkeypatch.setattr(scripted.ScriptedProvider, "embed", embed)
    scripted.SCRIPTS["m"] = Script([], Model("m", "folder", frozenset({"embedding"})))
    body = {"model": "m", "input": "a", "encoding_format": encoding}
    answer = await client.post("/v1/embeddings", json=body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (502, "upstream_error")


@pytest.mark.parametrize("row", ["[NaN]", "[Infinity]", "[1e999]", "[null]", '["1"]', "[true]"])
async def test_a_vector_of_the_wire_is_checked_too(row: str) -> None:
    raw = f'{{"data":[{{"index":0,"embedding":{row}}}],"usage":{{"prompt_tokens":1e999}}}}'

    async def embed(request: EmbedRequest) -> Embeddings:
        return await parse_embeddings(raw.encode(), 1)

    with pytest.raises(UpstreamError):
        await guarded(SimpleNamespace(embed=embed)).embed(EmbedRequest("m", ("a",), "r"))


@strange
async def test_the_tokens_of_an_embedding(number: Any) -> None:
    async def embed(request: EmbedRequest) -> Embeddings:
        return Embeddings(((1, 2.5),), number)

    found = await guarded(SimpleNamespace(embed=embed)).embed(EmbedRequest("m", ("a",), "r"))
    assert found == Embeddings(((1.0, 2.5),), 0)


@pytest.mark.parametrize(("vectors", "enough"), [(1, False), (2, True), (3, False)])
async def test_each_text_has_its_vector_where_texts_come_as_tokens(
    vectors: int, enough: bool
) -> None:
    async def embed(request: EmbedRequest) -> Embeddings:
        return Embeddings(((1.0, 2.5),) * vectors, 3)

    request = EmbedRequest("m", (), "r", tokens=((1, 2), (3,)))
    asked = guarded(SimpleNamespace(embed=embed)).embed(request)
    if enough:
        assert len((await asked).vectors) == 2
    else:
        with pytest.raises(UpstreamError):
            await asked


# -- what a provider says of models, files and engines -------------------------------------------

MODEL = Model("m", "gguf", size_bytes=10, context_length=4096)
ENTRY = CatalogueEntry("a/b", size_bytes=1, downloads=2, likes=3)
ASKED: list[tuple[str, Any, str, Any]] = [
    ("models", MODEL, "size_bytes", None),
    ("models", MODEL, "context_length", None),
    ("describe", MODEL, "size_bytes", None),
    ("ps", LoadedModel("m", 1, 2, 3), "size_bytes", None),
    ("ps", LoadedModel("m", 1, 2, 3), "vram_bytes", None),
    ("ps", LoadedModel("m", 1, 2, 3), "context_length", None),
    ("plan_pull", PullPlan("m", 9, 1, 1), "bytes_total", None),
    ("plan_pull", PullPlan("m", 9, 1, 1), "bytes_here", 0),
    ("plan_pull", PullPlan("m", 9, 1, 1), "bytes_needed", 0),
    ("trending", ENTRY, "size_bytes", None),
    ("trending", ENTRY, "downloads", None),
    ("trending", ENTRY, "likes", None),
    ("search", SearchPage((ENTRY,), 1), "total", None),
    ("card", RepositoryCard(ENTRY, "c", (), 5), "download_bytes", None),
    ("engines", EngineStatus("e", "running", pid=1, memory_bytes=2), "memory_bytes", None),
    ("engines", EngineStatus("e", "running", pid=1), "pid", None),
    ("engines", EngineStatus("e", "running", port=1), "port", None),
    ("engines", EngineStatus("e", "running", restarts=1), "restarts", 0),
    ("estimate", MemoryNeed(1, 2, 3, 4), "compute", None),
    ("estimate", MemoryNeed(1, 2, 3, 4), "untouched", 0),
]
ARGUMENTS: dict[str, tuple[Any, ...]] = {
    "models": (), "ps": (), "engines": (), "trending": (5,), "search": ("q", None, 5, 1),
}  # fmt: skip
LISTS = ("models", "ps", "trending", "engines")


async def ask(method: str, *answers: Any) -> Any:
    async def does(*_: Any) -> Any:
        return answers if method in LISTS else answers[0]

    provider = guarded(SimpleNamespace(**{method: does}))
    return await getattr(provider, method)(*ARGUMENTS.get(method, ("m",)))


asked = pytest.mark.parametrize(
    ("method", "item", "field", "absent"), ASKED, ids=[f"{m}.{f}" for m, _, f, _ in ASKED]
)


@impossible
@asked
async def test_a_number_of_a_provider_that_cannot_be_is_not_given(
    caplog: pytest.LogCaptureFixture, method: str, item: Any, field: str, absent: Any, number: Any
) -> None:
    other = replace(item, ref="other") if hasattr(item, "ref") else item
    for _ in range(2):
        found = await ask(method, replace(item, **{field: number}), other)
        first = found[0] if method in LISTS else found
        assert getattr(first, field) == absent
        assert type(getattr(first, field)) is type(absent)
        if method in LISTS:
            assert found[1] == other
    said = [r for r in caplog.records if "counts as not given" in r.getMessage()]
    assert len(said) == 1
    assert f".{field}" in said[0].getMessage()


@no_number
@asked
async def test_what_is_no_number_is_left_out_or_refused(
    method: str, item: Any, field: str, absent: Any, value: Any
) -> None:
    other = replace(item, ref="other") if hasattr(item, "ref") else item
    wrong = replace(item, **{field: value})
    if method in LISTS:
        assert await ask(method, wrong, other) == (other,)
        return
    with pytest.raises(UpstreamError, match="broke the rule declared_types"):
        await ask(method, wrong)


@strange
async def test_an_estimate_without_its_weights_is_none(number: Any) -> None:
    with pytest.raises(UpstreamError):
        await ask("estimate", MemoryNeed(number, 1, 1, 1))


@impossible
async def test_the_files_and_entries_inside_are_looked_at(number: Any) -> None:
    file = RepositoryFile("f", number, None, True)
    card = await ask("card", RepositoryCard(replace(ENTRY, likes=number), "c", (file,), 5))
    assert (card.entry.likes, card.files[0].size_bytes) == (None, None)
    page = await ask("search", SearchPage([replace(ENTRY, size_bytes=number), ENTRY]))
    assert [entry.size_bytes for entry in page.entries] == [None, 1]


@no_number
async def test_files_and_entries_inside_are_left_out_by_themselves(value: Any) -> None:
    files = (RepositoryFile("f", value, None, True), RepositoryFile("g", 5, None, True))
    card = await ask("card", RepositoryCard(ENTRY, "c", files, 5))
    assert card.files == files[1:]
    page = await ask("search", SearchPage([replace(ENTRY, size_bytes=value), ENTRY]))
    assert page.entries == (ENTRY,)


async def test_defaults_and_details_hold_only_what_json_can() -> None:
    odd = replace(
        MODEL,
        defaults={"temperature": math.nan, "top_p": 0.9, "seed": 10**30, "stop": ["a"]},
        details={"family": "f", "x": math.inf, "deep": {"y": [1, math.nan]}, "path": Path("/x")},
        parameter_bounds={"temperature": (0.0, math.inf), "top_p": (0.0, 1.0)},
        memory_plan=MemoryPlan("e", context_length=-1, parallel=10**30, copies_bytes=-5),
    )
    (found,) = await ask("models", odd)
    assert found.defaults == {"top_p": 0.9, "stop": ["a"]}
    assert found.details == {"family": "f", "deep": {"y": [1, None]}}
    assert found.parameter_bounds == {"top_p": (0.0, 1.0)}
    assert found.memory_plan == MemoryPlan("e")


@impossible
async def test_the_steps_of_a_pull(number: Any) -> None:
    async def pull(ref: str) -> Any:
        yield PullProgress("pulling", "x", number, number)
        yield PullProgress("completed", "x", 5, 5)

    steps = [step async for step in guarded(SimpleNamespace(pull=pull)).pull("m")]
    assert [(step.bytes_done, step.bytes_total) for step in steps] == [(0, None), (5, 5)]


async def test_a_listing_is_not_looked_through_to_its_end() -> None:
    found = await ask("models", *(replace(MODEL, ref=f"m{n}") for n in range(300_000)))
    assert len(found) == 2000


# -- waits -------------------------------------------------------------------------------------


@pytest.mark.parametrize("wait", [math.nan, math.inf, -1, 10**30, "5", True])
def test_a_wait_that_cannot_be_is_none(wait: Any) -> None:
    assert RateLimited("x", retry_after=wait).retry_after is None
    assert restored({"code": "x", "retry_after": wait}).retry_after is None


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("5", 5), ("0.5", 0.5), ("99999", 3600), ("nan", None), ("inf", None), ("-1", None),
     ("1e400", None), ("٣", None), ("Fri, 31 Dec 1999 23:59:59 GMT", None), ("", None),
     (None, None)],
)  # fmt: skip
def test_the_wait_in_a_header(text: str | None, seconds: float | None) -> None:
    assert numbers.seconds(text, "x") == seconds


# -- the ledger --------------------------------------------------------------------------------


def line(model: str = "m") -> Line:
    return Line("2026-11-21", "k", "p", model)


@pytest.mark.parametrize("number", [*STRANGE, None], ids=[*NAMES, "None"])
def test_a_line_that_cannot_be_holds_up_no_other(tmp_path: Path, number: Any) -> None:
    usage = UsageRepository(open_database(tmp_path / "venom.db"))
    odd = Tally(requests=1, prompt_tokens=number, generation_seconds=number)
    usage.add({line("odd"): odd, line(): Tally(requests=1, prompt_tokens=7)})
    found = usage.summary(ALL, "model")
    assert found["p://m"].prompt_tokens == 7
    assert type(found["p://odd"].prompt_tokens) is int
    assert found["p://odd"].prompt_tokens == 0


@pytest.mark.parametrize("name", ["\ud800", "m" * 5, "a\x00b"])
def test_a_name_that_no_store_takes_is_left_out_alone(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    usage = UsageRepository(open_database(tmp_path / "venom.db"))
    errors = {"upstream_error": 1}
    usage.add({line(name): Tally(requests=1, errors=errors), line(): Tally(requests=2)})
    found = usage.summary(ALL, "model")
    assert found["p://m"].requests == 2
    assert ("is left out" in caplog.text) is (name == "\ud800")


@pytest.mark.parametrize("stored", ["9223372036854775807", "9.3e18", "-5", "'abc'", "1e999"])
def test_a_store_that_holds_such_a_number_already_still_counts(tmp_path: Path, stored: str) -> None:
    file = tmp_path / "venom.db"
    usage = UsageRepository(open_database(file))
    usage.add({line(): Tally(requests=1, prompt_tokens=1, errors={"x": 1})})
    with sqlite3.connect(file) as connection:
        connection.execute(f"UPDATE usage_days SET prompt_tokens = {stored}")
        connection.execute(f"UPDATE usage_days SET first_token_seconds = {stored}")
        connection.execute(f"UPDATE usage_errors SET requests = {stored}")
    connection.close()
    assert usage.used("k", "2026-11-21") == (1, 0)
    usage.add({line(): Tally(requests=1, prompt_tokens=8, errors={"x": 1})})
    whole = usage.summary(ALL, None)[""]
    assert (whole.requests, whole.prompt_tokens, whole.errors) == (2, 8, {"x": 1})
    assert type(whole.prompt_tokens) is int
    ((_, shown),) = usage.lines(ALL, None, 10)
    assert (shown.prompt_tokens, shown.errors) == (8, {"x": 1})


def test_a_total_stays_whole(tmp_path: Path) -> None:
    usage = UsageRepository(open_database(tmp_path / "venom.db"))
    for _ in range(3):
        usage.add({line(): Tally(prompt_tokens=MOST)})
    assert usage.summary(ALL, None)[""].prompt_tokens == MOST


@pytest.mark.parametrize("stored", ["'abc'", "-1", "0", "9e18", "1e999"])
async def test_a_damaged_limit_opens_nothing(tmp_path: Path, stored: str) -> None:
    file = tmp_path / "venom.db"
    keys = KeyRepository(open_database(file))
    key, made = keys.create("k", KeyRights(tokens_per_day=100))
    with sqlite3.connect(file) as connection:
        connection.execute(f"UPDATE api_keys SET tokens_per_day = {stored}")
    connection.close()
    found = keys.verify(key)
    assert found is not None
    assert found.rights.tokens_per_day == 1
    quotas = Quotas(lambda *_: (0, 5))
    quotas.set_limits(found)
    with pytest.raises(RateLimited):
        await quotas.take(made.id)


async def test_an_answer_without_end_is_ended() -> None:
    async def chat(request: ChatRequest) -> Any:
        for _ in range(10_000):
            yield Frame.of(delta("a", role="assistant"))

    count = 0
    provider = guarded(SimpleNamespace(chat=chat))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("venom_core.plugins.guarded_streams.MOST_FRAMES", 640)
        with pytest.raises(UpstreamError, match="did not end"):
            async for _ in provider.chat(ChatRequest("m", {}, True, "r")):
                count += 1
    assert count <= 641


def test_what_is_said_shows_no_text(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        numbers.whole("a secret", "x: y")
        numbers.whole("another", "x: y")
    assert len(caplog.records) == 1
    assert "secret" not in caplog.text
