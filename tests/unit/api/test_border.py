"""Each door of a provider, and what comes in there: one table of cases a door.

A planted plugin returns what no plugin should; the good rows beside it are listed and served, and
the record says which rule was broken.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.unit.guards import guarded
from tests.unit.plugins.test_guarded import ASKED, STREAMS, ask
from venom_core.sdk import law
from venom_core.sdk.catalogue import (
    CatalogueEntry,
    NewsItem,
    RepositoryCard,
    RepositoryFile,
    SearchFilters,
    SearchPage,
)
from venom_core.sdk.declared import wrong_field
from venom_core.sdk.errors import UpstreamError
from venom_core.sdk.law import Rule
from venom_core.sdk.memory_estimate import MemoryNeed
from venom_core.sdk.messages import Embeddings, EmbedRequest
from venom_core.sdk.provider import EngineStatus, LoadedModel, Model, PullPlan, PullProgress
from venom_core.sdk.states import Health, ProviderStatus
from venom_core.testing import scripted
from venom_core.testing.scripted import Script, ScriptedProvider, answer

CHAT = {"model": "scripted://m", "messages": [{"role": "user", "content": "x"}]}
GOOD = Model("m", "folder")


def odd(**fields: Any) -> Model:
    return Model("odd", **{"type": "folder", **fields})


class Untold(Model):
    """One whose field cannot be read."""

    @property
    def title(self) -> str:  # type: ignore[override]
        raise ValueError("secret")

    @title.setter
    def title(self, value: Any) -> None:
        """Take it, for the constructor's sake."""


class Own(Model):
    """A model with a field more."""

    extra = 5


class Exits(Model):
    """One whose field ends the process."""

    @property
    def summary(self) -> str:  # type: ignore[override]
        raise SystemExit(3)

    @summary.setter
    def summary(self, value: Any) -> None:
        """Take it, for the constructor's sake."""


class Words(str):
    """A text of another class, as parsers of files return it."""

    __slots__ = ()


class Mute(str):
    """A text that can be neither compared nor counted."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        raise ValueError("secret")

    def __hash__(self) -> int:
        raise ValueError("secret")


ENDLESS: dict[str, Any] = {}
ENDLESS["again"] = ENDLESS


class Rows:
    """Rows that are made when they are asked for."""

    @staticmethod
    async def coroutine() -> Model:
        return GOOD


#: Rows beside a good one: what is listed besides, and the rule that the record names.
ROWS: dict[str, tuple[list[Any], list[str], Rule | None]] = {
    "strings": (["m1", "m2"], [], law.DECLARED_TYPES),
    "None": ([None], [], law.DECLARED_TYPES),
    "dicts": ([{"ref": "x", "type": "gguf"}], [], law.DECLARED_TYPES),
    "the class": ([Model], [], law.DECLARED_TYPES),
    "a loaded model": ([LoadedModel("x")], [], law.DECLARED_TYPES),
    "a ref that is no text": ([Model(5, "gguf")], [], law.DECLARED_TYPES),  # type: ignore[arg-type]
    "a ref of bytes": ([Model(b"x", "gguf")], [], law.DECLARED_TYPES),  # type: ignore[arg-type]
    "a type that is none": ([odd(type=None)], [], law.DECLARED_TYPES),
    "a title that is a number": ([odd(title=5)], [], law.DECLARED_TYPES),
    "a host that is none": ([odd(runs_at=5)], [], law.DECLARED_TYPES),
    "installed as a text": ([odd(installed="yes")], [], law.DECLARED_TYPES),
    "loaded as a number": ([odd(loaded=1)], [], law.DECLARED_TYPES),
    "capabilities as a text": ([odd(capabilities="chat")], [], law.DECLARED_TYPES),
    "capabilities nobody knows": ([odd(capabilities=frozenset({"fly"}))], [], law.DECLARED_TYPES),
    "languages as a list": ([odd(languages=["pl"])], [], law.DECLARED_TYPES),
    "details as a list": ([odd(details=[1])], [], law.DECLARED_TYPES),
    "defaults of numbers": ([odd(defaults={1: 2})], [], law.DECLARED_TYPES),
    "bounds of one number": ([odd(parameter_bounds={"top_p": (1.0,)})], [], law.DECLARED_TYPES),
    "a location as a text": ([odd(location="/x")], [], law.DECLARED_TYPES),
    "an architecture as a dict": ([odd(architecture={})], [], law.DECLARED_TYPES),
    "a size as a text": ([odd(size_bytes="12")], [], law.DECLARED_TYPES),
    "a size that is NaN": ([odd(size_bytes=math.nan)], ["odd"], law.POSSIBLE_NUMBERS),
    "a size below nothing": ([odd(size_bytes=-1)], ["odd"], law.POSSIBLE_NUMBERS),
    "details with NaN": ([odd(details={"x": math.nan})], ["odd"], law.POSSIBLE_NUMBERS),
    "a name twice": ([odd(title="first"), odd(title="second")], ["odd"], law.UNIQUE_NAMES),
    "control characters": ([odd(title="a\x1b[31mb\x00")], ["odd"], law.PRINTABLE_TEXT),
    "half a character": ([odd(title="a\ud83d")], ["odd"], law.PRINTABLE_TEXT),
    "a ref with half a character": ([Model("a\ud83d", "gguf")], [], None),
    "a ref with control characters": ([Model("a\x1b[31m", "gguf")], [], None),
    "an empty ref": ([Model("", "gguf")], [], None),
    "a title of two lines": ([odd(title="a\nb")], ["odd"], law.PRINTABLE_TEXT),
    "a text of its own kind": ([odd(title=Words("a\x1bb"))], ["odd"], law.PRINTABLE_TEXT),
    "a ref of its own kind": ([Model(Words("odd"), "gguf")], ["odd"], None),
    "a text that cannot be read": ([odd(title=Mute("a"))], [], law.DECLARED_TYPES),
    "a ref that cannot be read": ([Model(Mute("a"), "gguf")], [], law.DECLARED_TYPES),
    "a field that cannot be read": ([object.__new__(Untold)], [], law.DECLARED_TYPES),
    "a field that exits": ([Exits("odd", "gguf")], [], law.DECLARED_TYPES),
    "a model of its own kind": ([Own("odd", "gguf", size_bytes=math.nan)], ["odd"],
                                law.POSSIBLE_NUMBERS),
    "a size without end": ([odd(size_bytes=math.inf)], ["odd"], law.POSSIBLE_NUMBERS),
    "a size that is half a byte": ([odd(size_bytes=1.5)], ["odd"], law.POSSIBLE_NUMBERS),
    "a size that is a list": ([odd(size_bytes=[1])], [], law.DECLARED_TYPES),
    "a context that is true": ([odd(context_length=True)], [], law.DECLARED_TYPES),
    "bounds of NaN": ([odd(parameter_bounds={"top_p": (math.nan, 1.0)})], ["odd"],
                      law.POSSIBLE_NUMBERS),
    "bounds of texts": ([odd(parameter_bounds={"top_p": ("0", "1")})], [], law.DECLARED_TYPES),
    "defaults of NaN": ([odd(defaults={"top_p": math.nan})], ["odd"], law.POSSIBLE_NUMBERS),
    "details without an end": ([odd(details=ENDLESS)], ["odd"], law.POSSIBLE_NUMBERS),
    "a coroutine": ([Rows.coroutine], [], law.DECLARED_TYPES),
    "nothing else": ([], [], None),
}  # fmt: skip


@pytest.fixture(autouse=True)
def _served() -> None:
    scripted.SCRIPTS["m"] = Script(answer("hello"), GOOD)


def lists(monkeypatch: pytest.MonkeyPatch, value: Any) -> None:
    async def models(_self: object) -> Any:
        return value() if callable(value) else value

    monkeypatch.setattr(ScriptedProvider, "models", models)


async def breaches(client: httpx.AsyncClient) -> list[tuple[str, str]]:
    """Return rule and method of each breach in the plugin's record."""
    plugins = (await client.get("/api/v1/plugins")).json()["plugins"]
    found = [one for p in plugins for provider in p["providers"] for one in provider["breaches"]]
    return [(one["rule"], one["method"]) for one in found]


@pytest.mark.parametrize("last", [False, True], ids=["before the good one", "behind it"])
@pytest.mark.parametrize(("rows", "listed", "rule"), ROWS.values(), ids=ROWS)
async def test_a_row_that_is_wrong_hides_no_other(
    client: httpx.AsyncClient,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    rows: list[Any],
    listed: list[str],
    rule: Rule | None,
    last: bool,
) -> None:
    def made() -> list[Any]:
        fresh = [row() if row is Rows.coroutine else row for row in rows]
        return [GOOD, *fresh] if last else [*fresh, GOOD]

    lists(monkeypatch, made)
    found = (await client.get("/v1/models")).json()["data"]
    assert {one["id"] for one in found} == {"m", *listed}
    models = (await client.get("/api/v1/models")).json()["models"]
    assert {one["name"] for one in models} == {"m", *listed}
    answered = await client.post("/v1/chat/completions", json=CHAT)
    assert answered.status_code == 200, answered.text
    assert await breaches(client) == ([] if rule is None else [(rule.name, "models")])
    if rule is not None:
        said = [r.getMessage() for r in caplog.records if rule.name in r.getMessage()]
        assert len(said) == len(set(said)) == max(1, len(rows) - len(listed))
        assert all(line.startswith("provider scripted broke the rule") for line in said)


LISTS: dict[str, Any] = {
    "nothing": None,
    "a text": "models",
    "a number": 42,
    "a dict": {"m": GOOD},
    "a set": {"m"},
    "a generator": lambda: (model for model in [GOOD]),
    "a model": GOOD,
    "bytes": b"m",
    "a coroutine": Rows.coroutine,
    "a class": lambda: list,
    "an exception": ValueError("secret"),
    "no number": math.nan,
}


@pytest.mark.parametrize("value", LISTS.values(), ids=LISTS)
async def test_what_is_no_list_is_refused_by_its_rule(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, value: Any
) -> None:
    lists(monkeypatch, value)
    response = await client.post("/v1/chat/completions", json=CHAT)
    error = response.json()["error"]
    assert (response.status_code, error["code"]) == (502, "upstream_error")
    assert "Scripted broke the rule declared_types" in error["message"]
    assert "The log says what exactly: venom logs." in error["message"]
    assert await breaches(client) == [("declared_types", "models")]


#: How a method that is asked for one answer may be made wrongly.
MADE: dict[str, Callable[[], Any]] = {
    "nothing to await": lambda: lambda *_: [],
    "None": lambda: lambda *_: None,
    "a coroutine that is not awaited": lambda: _forgets_to_await,
    "a generator": lambda: _yields,
    "an asynchronous generator": lambda: _yields_later,
}


async def _forgets_to_await(*_: Any) -> Any:
    return Rows.coroutine()


def _yields(*_: Any) -> Any:
    yield GOOD


async def _yields_later(*_: Any) -> Any:
    yield GOOD


@pytest.mark.parametrize("method", ASKED)
@pytest.mark.parametrize("made", MADE)
async def test_a_method_that_is_made_wrongly_is_refused_by_its_rule(made: str, method: str) -> None:
    rule = law.DECLARED_TYPES
    if method in STREAMS and made == "an asynchronous generator":
        rule = law.DECLARED_TYPES if method in ("build", "pull") else law.FRAMES
    provider = guarded(type("P", (), {method: staticmethod(MADE[made]())}))
    with pytest.raises(UpstreamError, match=f"Stub broke the rule {rule.name}"):
        await ask(provider, method)
    (breach,) = provider.faults.breaches.records()
    assert (breach["rule"], breach["method"], breach["count"]) == (rule.name, method, 1)


@pytest.mark.parametrize(
    "value",
    [None, 5, b"m", ["m"], Rows.coroutine],
    ids=["None", "a number", "bytes", "a list", "a coroutine"],
)
@pytest.mark.parametrize("method", ["canonical", "endpoint"])
def test_what_is_told_at_once_is_a_text(method: str, value: Any) -> None:
    def made(*_: Any) -> Any:
        return value() if callable(value) else value

    inner = type("P", (), {"canonical": made, "endpoint": property(made)})()
    provider = guarded(inner)
    if (method, value) == ("endpoint", None):
        assert provider.endpoint is None
        return
    with pytest.raises(UpstreamError, match="Stub broke the rule declared_types"):
        _ = provider.endpoint if method == "endpoint" else provider.canonical("m")


async def test_an_asynchronous_generator_is_no_listing(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def models(_self: object) -> Any:
        yield GOOD

    monkeypatch.setattr(ScriptedProvider, "models", models)
    response = await client.post("/v1/chat/completions", json=CHAT)
    assert (response.status_code, response.json()["error"]["code"]) == (502, "upstream_error")


async def test_a_list_of_its_own_kind_that_breaks_is_refused() -> None:
    class Broken(list[Model]):
        def __getitem__(self, place: Any) -> Any:
            raise ValueError("secret")

    async def models() -> Any:
        return Broken([GOOD])

    with pytest.raises(UpstreamError) as raised:
        await guarded(type("P", (), {"models": staticmethod(models)})).models()
    assert "secret" not in str(raised.value.record())


ENTRY = CatalogueEntry("a/b")
FILE = RepositoryFile("f", 1, None, True)
EMBED = EmbedRequest("m", ("x",), "r")
#: Per method: arguments, a wrong answer, and what is left of it; None where it is refused.
OTHERS: dict[str, tuple[str, tuple[Any, ...], Any, Any]] = {
    "describe": ("describe", ("m",), odd(title=5), None),
    "ps": ("ps", (), [LoadedModel(5), LoadedModel("m")], (LoadedModel("m"),)),  # type: ignore[arg-type]
    "ps, a time": ("ps", (), [LoadedModel("m", expires_at=5)], ()),  # type: ignore[arg-type]
    "search": ("search", ("q", SearchFilters(), 5, 1), SearchPage([ENTRY, None, "x"]),  # type: ignore[list-item]
               SearchPage((ENTRY,))),
    "search, no rows": ("search", ("q", SearchFilters(), 5, 1), SearchPage(None), None),  # type: ignore[arg-type]
    "trending": ("trending", (5,), [CatalogueEntry("x", tags="t"), ENTRY], (ENTRY,)),  # type: ignore[arg-type]
    "news": ("news", ("blog", None, "en", 5), [NewsItem("t", "u", "s", 5, (), "x")], ()),  # type: ignore[arg-type]
    "card": ("card", ("m",), RepositoryCard(ENTRY, "c", (FILE, None), 1),  # type: ignore[arg-type]
             RepositoryCard(ENTRY, "c", (FILE,), 1)),
    "card, no entry": ("card", ("m",), RepositoryCard("m", "c", (), 1), None),  # type: ignore[arg-type]
    "engines": ("engines", (), [EngineStatus("e", "flying"), EngineStatus("e", "running")],  # type: ignore[arg-type]
                (EngineStatus("e", "running"),)),
    "engines, a log": ("engines", (), [EngineStatus("e", "running", log_tail="text")], ()),
    "plan_pull": ("plan_pull", ("m",), PullPlan("m", folder="/x"), None),  # type: ignore[arg-type]
    "plan_pull, a ref": ("plan_pull", ("m",), PullPlan(b"m"), None),  # type: ignore[arg-type]
    "news, no rows": ("news", ("blog", None, "en", 5), "news", None),
    "engines, a dict": ("engines", (), {"e": EngineStatus("e", "running")}, None),
    "ps, a generator": ("ps", (), iter([LoadedModel("m")]), None),
    "card, files as a text": ("card", ("m",), RepositoryCard(ENTRY, "c", "f", 1), None),  # type: ignore[arg-type]
    "estimate": ("estimate", ("m", None), {"weights": 1}, None),
    "ps, a size as a text": ("ps", (), [LoadedModel("m", size_bytes="5")], ()),  # type: ignore[arg-type]
    "card, a size as a text": ("card", ("m",), RepositoryCard(ENTRY, "c", (FILE,), "1"), None),  # type: ignore[arg-type]
    "estimate, a text": ("estimate", ("m", None), MemoryNeed("1", 1, 1, 1), None),  # type: ignore[arg-type]
    "embed": ("embed", (EMBED,), [[0.5]], None),
    "embed, a dict": ("embed", (EMBED,), {"vectors": [[0.5]]}, None),
}  # fmt: skip
EMBED_CASES: dict[str, Any] = {
    "vectors of texts": Embeddings((("a", "b"),), 1),  # type: ignore[arg-type]
    "vectors as a text": Embeddings("ab", 1),  # type: ignore[arg-type]
    "no vectors": Embeddings(None, 1),  # type: ignore[arg-type]
    "NaN": Embeddings(((math.nan, 0.5),), 1),
    "a number without end": Embeddings(((math.inf,),), 1),
    "an empty vector": Embeddings(((),), 1),
    "None in a vector": Embeddings(((None,),), 1),  # type: ignore[arg-type]
    "too many": Embeddings(((0.5,), (0.5,)), 1),
    "too few": Embeddings((), 0),
    "vectors as a generator": Embeddings((one for one in ((0.5,),)), 1),  # type: ignore[arg-type]
}
#: A number that cannot be counts as not given: the answer, and what is left of it.
NUMBERS: dict[str, tuple[str, tuple[Any, ...], Any, Any]] = {
    "ps": ("ps", (), [LoadedModel("m", size_bytes=-5)], (LoadedModel("m"),)),
    "engines": ("engines", (), [EngineStatus("e", "running", pid=-1, port=99_999)],
                (EngineStatus("e", "running"),)),
    "search": ("search", ("q", SearchFilters(), 5, 1), SearchPage((ENTRY,), math.nan),  # type: ignore[arg-type]
               SearchPage((ENTRY,))),
    "card": ("card", ("m",), RepositoryCard(ENTRY, "c", (FILE,), -1),
             RepositoryCard(ENTRY, "c", (FILE,), None)),
    "plan_pull": ("plan_pull", ("m",), PullPlan("m", bytes_total=math.inf), PullPlan("m")),  # type: ignore[arg-type]
    "describe": ("describe", ("m",), Model("m", "x", context_length=0), Model("m", "x")),
}  # fmt: skip


@pytest.mark.parametrize("value", EMBED_CASES.values(), ids=EMBED_CASES)
async def test_vectors_that_cannot_be_are_refused(value: Any) -> None:
    async def embed(_request: EmbedRequest) -> Any:
        return value

    provider = guarded(type("P", (), {"embed": staticmethod(embed)}))
    with pytest.raises(UpstreamError, match="Stub broke the rule possible_numbers"):
        await provider.embed(EMBED)


@pytest.mark.parametrize(("method", "arguments", "wrong", "left"), NUMBERS.values(), ids=NUMBERS)
async def test_a_number_that_cannot_be_counts_as_not_given(
    method: str, arguments: tuple[Any, ...], wrong: Any, left: Any
) -> None:
    async def call(*_: Any) -> Any:
        return wrong

    provider = guarded(type("P", (), {method: staticmethod(call)}))
    assert await getattr(provider, method)(*arguments) == left
    assert [one["rule"] for one in provider.faults.breaches.records()] == ["possible_numbers"]


async def test_numbers_of_a_pull_that_cannot_be_count_as_not_given() -> None:
    async def pull(_ref: str) -> Any:
        yield PullProgress("pulling", "x", -5, math.nan)  # type: ignore[arg-type]
        yield PullProgress("completed", "a\x1bb")

    provider = guarded(type("P", (), {"pull": staticmethod(pull)}))
    steps = [one async for one in provider.pull("m")]
    assert steps == [PullProgress("pulling", "x"), PullProgress("completed", "a\\x1bb")]
    found = [one["rule"] for one in provider.faults.breaches.records()]
    assert found == ["possible_numbers", "printable_text"]


@pytest.mark.parametrize(("method", "arguments", "wrong", "left"), OTHERS.values(), ids=OTHERS)
async def test_every_other_answer_is_looked_at(
    method: str, arguments: tuple[Any, ...], wrong: Any, left: Any
) -> None:
    async def call(*_: Any) -> Any:
        return wrong

    provider = guarded(type("P", (), {method: staticmethod(call)}))
    if left is None:
        with pytest.raises(UpstreamError, match="declared_types"):
            await getattr(provider, method)(*arguments)
    else:
        assert await getattr(provider, method)(*arguments) == left
    (breach,) = provider.faults.breaches.records()
    assert (breach["rule"], breach["method"]) == ("declared_types", method)


@pytest.mark.parametrize(
    "step",
    [PullProgress("flying", "x"), PullProgress("pulling", 5), PullProgress("pulling", "x", "5"),  # type: ignore[arg-type]
     "pulling", None],
    ids=str,
)  # fmt: skip
async def test_a_step_of_a_pull_that_is_none_is_refused(step: Any) -> None:
    async def pull(_ref: str) -> Any:
        yield PullProgress("pulling", "x")
        yield step

    provider = guarded(type("P", (), {"pull": staticmethod(pull)}))
    with pytest.raises(UpstreamError, match="declared_types"):
        [one async for one in provider.pull("m")]


@pytest.mark.parametrize(
    "health",
    [Health("ready"), Health(ProviderStatus.READY, "down"), Health(ProviderStatus.READY, None, 5),  # type: ignore[arg-type]
     None, "ready", {"status": "ready"}, ProviderStatus.READY],
    ids=str,
)  # fmt: skip
async def test_a_health_that_is_none_fails_and_is_noted(health: Any) -> None:
    async def ask() -> Any:
        return health

    provider = guarded(type("P", (), {"health": staticmethod(ask)}))
    told = await provider.health()
    assert told.reason is not None
    assert told.reason.code == "health_failed"
    assert [one["rule"] for one in provider.faults.breaches.records()] == ["declared_types"]


def test_a_field_that_cannot_be_read_is_wrong() -> None:
    untold = object.__new__(Untold)
    assert wrong_field(untold, Model) == "Its ref cannot be read."


def test_a_field_that_is_as_declared_is_right() -> None:
    full = Model(
        "m", "gguf", frozenset({"chat"}), "t", languages=("pl",), instruct=True, loaded=False,
        defaults={"top_p": 0.5}, details={"a": [1]}, location=Path("/x"),
        parameter_bounds={"top_p": (0, 1.0)},
    )  # fmt: skip
    assert wrong_field(full, Model) is None
