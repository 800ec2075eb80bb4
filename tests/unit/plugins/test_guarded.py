"""Every method of a provider, guarded: whatever the plugin's own does, the promise is kept."""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import AsyncGenerator, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest

from tests.unit.guards import guarded
from venom_core.plugins import guarded as module
from venom_core.plugins.guarded import SECONDS, GuardedProvider, Waits
from venom_core.sdk.catalogue import CatalogueEntry, RepositoryCard, SearchFilters, SearchPage
from venom_core.sdk.errors import (
    ModelNotFound,
    RateLimited,
    UpstreamError,
    UpstreamTimeout,
    VenomError,
)
from venom_core.sdk.frames import Frame, delta, finish
from venom_core.sdk.messages import ChatRequest, Embeddings, EmbedRequest, Reranked, RerankRequest
from venom_core.sdk.provider import (
    BuildProgress,
    BuildRequest,
    LoadedModel,
    Model,
    Provider,
    PullPlan,
    PullProgress,
)
from venom_core.sdk.states import Health, ProviderStatus, Reason
from venom_core.testing.deadlines import within

#: What a method is asked with, by its parameters' names.
ARGUMENTS: dict[str, Any] = {
    "ref": "m", "query": "q", "filters": SearchFilters(), "limit": 5, "page": 1, "kind": "papers",
    "month": None, "lang": "en", "context": None,
}  # fmt: skip
CHAT = ChatRequest("m", {}, True, "r")
BUILD = BuildRequest("hf://m", Path("/m"), "x", "int8", "cpu")
#: Asked without awaiting.
SYNCHRONOUS = ("canonical",)
METHODS = sorted(
    name
    for name, method in inspect.getmembers(Provider, callable)
    if not name.startswith("_") and name not in SYNCHRONOUS
)
STREAMS = ("build", "chat", "complete", "pull")
ROWS = ("engines", "metrics", "models", "news", "ps", "trending")
#: Neither is ever raised out of: see their own tests.
QUIET = ("close", "health")
ASKED = [name for name in METHODS if name not in QUIET]
FAULTS: dict[str, BaseException] = {
    "ValueError": ValueError("secret"),
    "TimeoutError": TimeoutError("secret"),
    "SystemExit": SystemExit(3),
    "KeyboardInterrupt": KeyboardInterrupt(),
    "CancelledError": asyncio.CancelledError(),
    "GeneratorExit": GeneratorExit(),
    "RecursionError": RecursionError(),
    "StopAsyncIteration": StopAsyncIteration(),
    "OSError": OSError(28, "/a/path"),
}


def arguments(method: str) -> list[Any]:
    if method in ("chat", "complete"):
        return [CHAT]
    if method == "embed":
        return [EmbedRequest("m", ("x",), "r")]
    if method == "rerank":
        return [RerankRequest("m", "q", ("x",), "r")]
    if method.endswith("build"):
        return [BUILD]
    names = list(inspect.signature(getattr(Provider, method)).parameters)[1:]
    return [ARGUMENTS[name] for name in names]


def only(method: str, does: Callable[..., Any]) -> GuardedProvider:
    """A provider of which that method alone is there; 50 ms are long for it."""
    return guarded(SimpleNamespace(**{method: does}), waits=Waits(0.05, 0.05, 0.05))


async def ask(provider: Provider, method: str) -> Any:
    """Return what a method answers; of a generator, all its items. Whoever hangs fails."""

    async def answered() -> Any:
        answer = getattr(provider, method)(*arguments(method))
        return [item async for item in answer] if method in STREAMS else await answer

    return await within(answered(), 10)


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    for method in SECONDS:
        monkeypatch.setitem(SECONDS, method, 0.05)


def raising(method: str, error: BaseException) -> Callable[..., Any]:
    async def call(*_arguments: Any) -> Any:
        raise error

    async def stream(*_arguments: Any) -> AsyncGenerator[Any, None]:
        raise error
        yield

    return stream if method in STREAMS else call


def promised(fault: str) -> type[VenomError]:
    return UpstreamTimeout if fault == "TimeoutError" else UpstreamError


def test_every_method_of_a_provider_is_guarded() -> None:
    own = {name for name in vars(GuardedProvider) if not name.startswith("_")}
    assert {*METHODS, *SYNCHRONOUS, "endpoint"} <= own
    bounded = {*SECONDS, "open", "load", "embed", "rerank", "chat", "complete"}
    assert bounded == set(METHODS)


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("method", ASKED)
async def test_what_it_raises_becomes_what_is_promised(
    method: str, fault: str, caplog: pytest.LogCaptureFixture
) -> None:
    provider = only(method, raising(method, FAULTS[fault]))
    with pytest.raises(promised(fault)) as raised:
        await ask(provider, method)
    assert "secret" not in str(raised.value.record())
    told = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert len(told) == 1
    assert "stub" in told[0].getMessage()
    assert told[0].exc_info


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_in_naming_a_model_becomes_what_is_promised(fault: str) -> None:
    def canonical(_ref: str) -> str:
        raise FAULTS[fault]

    with pytest.raises(promised(fault)):
        only("canonical", canonical).canonical("m")


@pytest.mark.parametrize("garbage", [None, 42, b"m", ["m"]])
def test_what_is_no_name_is_refused(garbage: object) -> None:
    with pytest.raises(UpstreamError):
        only("canonical", lambda _ref: garbage).canonical("m")


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("method", ASKED)
async def test_one_that_raises_before_it_is_awaited(method: str, fault: str) -> None:
    def at_once(*_arguments: Any) -> Any:
        raise FAULTS[fault]

    with pytest.raises(promised(fault)):
        await ask(only(method, at_once), method)


@pytest.mark.parametrize("method", ASKED)
async def test_its_own_refusals_pass_as_they_are(method: str) -> None:
    refusal = RateLimited("Slowly.", retry_after=7, fix="Wait.")
    with pytest.raises(RateLimited) as raised:
        await ask(only(method, raising(method, refusal)), method)
    assert raised.value is refusal


@pytest.mark.parametrize("method", ASKED)
async def test_one_that_hangs_is_given_up(method: str) -> None:
    async def call(*_arguments: Any) -> Any:
        await asyncio.sleep(1e6)

    async def stream(*_arguments: Any) -> AsyncGenerator[Any, None]:
        await asyncio.sleep(1e6)
        yield

    does = stream if method in STREAMS else call
    with pytest.raises(UpstreamTimeout):
        await ask(only(method, does), method)


#: Nobody looks at what these return.
SAYS_NOTHING = {
    "open", "load", "unload", "remove", "forget_build", "forget_pull", "start_engine",
    "stop_engine",
}  # fmt: skip


@pytest.mark.parametrize("garbage", [42, None, "models", [None], {"ref": "m"}, object()])
@pytest.mark.parametrize("method", ASKED)
async def test_what_is_no_answer_is_refused(method: str, garbage: object) -> None:
    async def call(*_arguments: Any) -> Any:
        return garbage

    async def stream(*_arguments: Any) -> AsyncGenerator[Any, None]:
        yield garbage

    provider = only(method, stream if method in STREAMS else call)
    if method in SAYS_NOTHING:
        assert await ask(provider, method) is None
        return
    if isinstance(garbage, list) and method in ROWS:
        assert await ask(provider, method) == ()  # one that is wrong hides no other
        assert [one["rule"] for one in provider.faults.breaches.records()] == ["declared_types"]
        return
    with pytest.raises(UpstreamError):
        await ask(provider, method)


@pytest.mark.parametrize("value", [42, None, Model("m", "x")])
@pytest.mark.parametrize("method", ASKED)
async def test_one_that_is_not_async_is_refused(method: str, value: object) -> None:
    with pytest.raises(promised("TypeError")):
        await ask(only(method, lambda *_arguments: value), method)


@pytest.mark.parametrize("method", STREAMS)
async def test_a_coroutine_where_a_generator_was_promised(method: str) -> None:
    async def call(_argument: Any) -> Any:
        return []

    with pytest.raises(UpstreamError):
        await ask(only(method, call), method)


CARD = RepositoryCard(CatalogueEntry("m"), "c", (), 0)
GOOD: dict[str, Any] = {
    "models": [Model("m", "x")], "describe": Model("m", "x"), "ps": [LoadedModel("m")],
    "plan_build": PullPlan("m"), "plan_pull": PullPlan("m"),
    "embed": Embeddings(((0.5,),), 1), "rerank": Reranked((0.5,), 1), "search": SearchPage(()),
    "trending": (), "news": [], "engines": [], "card": CARD,
}  # fmt: skip


@pytest.mark.parametrize("method", GOOD)
async def test_an_answer_passes(method: str) -> None:
    async def call(*_arguments: Any) -> Any:
        return GOOD[method]

    answer = await ask(only(method, call), method)
    assert answer == (tuple(GOOD[method]) if isinstance(GOOD[method], list) else GOOD[method])


class TestStreams:
    """The streams after their first item."""

    ITEMS: ClassVar = {"chat": Frame.of(delta("x")), "complete": Frame.of(delta("x")),
             "pull": PullProgress("pulling", "x"),
             "build": BuildProgress("building", "x")}  # fmt: skip

    #: What makes an answer whole; a pull or a build needs nothing.
    ENDS: ClassVar = {"chat": [Frame.of(finish("stop"))], "complete": [Frame.of(finish("stop"))],
            "pull": [], "build": []}  # fmt: skip

    def stream(self, method: str, end: object = None) -> tuple[GuardedProvider, list[str]]:
        seen: list[str] = []

        async def items(_argument: Any) -> AsyncGenerator[Any, None]:
            try:
                for _ in range(3):
                    yield self.ITEMS[method]
                for item in self.ENDS[method] if end is None else ():
                    yield item
                if isinstance(end, BaseException):
                    raise end
                if end == "hang":
                    await asyncio.sleep(1e6)
                elif end is not None:
                    yield end
            finally:
                seen.append("closed")

        return only(method, items), seen

    @pytest.mark.parametrize("method", STREAMS)
    async def test_they_pass_and_end(self, method: str) -> None:
        provider, seen = self.stream(method)
        assert await ask(provider, method) == [self.ITEMS[method]] * 3 + self.ENDS[method]
        assert seen == ["closed"]

    @pytest.mark.parametrize("fault", FAULTS)
    @pytest.mark.parametrize("method", STREAMS)
    async def test_a_fault_in_the_middle(self, method: str, fault: str) -> None:
        provider, seen = self.stream(method, FAULTS[fault])
        got = []
        with pytest.raises(promised(fault)):
            async for item in getattr(provider, method)(*arguments(method)):
                got.append(item)  # noqa: PERF401 -- what came before it is looked at
        assert (len(got), seen) == (3, ["closed"])

    @pytest.mark.parametrize(("end", "error"), [("hang", UpstreamTimeout), (42, UpstreamError)])
    @pytest.mark.parametrize("method", STREAMS)
    async def test_silence_and_garbage(
        self, method: str, end: object, error: type[VenomError]
    ) -> None:
        provider, seen = self.stream(method, end)
        with pytest.raises(error):
            await ask(provider, method)
        assert seen == ["closed"]

    @pytest.mark.parametrize("method", STREAMS)
    async def test_a_reader_that_leaves_closes_the_plugins_own(self, method: str) -> None:
        provider, seen = self.stream(method, "hang")
        items = getattr(provider, method)(*arguments(method))
        await anext(items)
        assert seen == []
        await within(items.aclose())
        assert seen == ["closed"]

    @pytest.mark.parametrize("method", STREAMS)
    async def test_a_reader_that_is_cancelled_is_not_answered(self, method: str) -> None:
        provider, seen = self.stream(method, "hang")
        provider._waits = Waits(60, 60, 60)
        SECONDS["pull"] = SECONDS["build"] = 60
        reading = asyncio.create_task(ask(provider, method))
        await asyncio.sleep(0.05)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await within(reading)
        assert seen == ["closed"]

    @pytest.mark.parametrize("method", STREAMS)
    async def test_a_reader_that_takes_its_time_is_no_silence(self, method: str) -> None:
        provider, _ = self.stream(method)
        got = []
        async for item in getattr(provider, method)(*arguments(method)):
            await asyncio.sleep(0.1)
            got.append(item)
        assert got == [self.ITEMS[method]] * 3 + self.ENDS[method]

    @pytest.mark.parametrize("fault", [ValueError(), SystemExit(), KeyboardInterrupt()])
    async def test_a_fault_at_the_end_hurts_nobody(self, fault: BaseException) -> None:
        async def frames(_request: ChatRequest) -> AsyncGenerator[Frame, None]:
            try:
                yield self.ITEMS["chat"]
                yield self.ITEMS["chat"]
            finally:
                raise fault

        frames_ = only("chat", frames).chat(CHAT)
        await anext(frames_)
        await frames_.aclose()


class TestHealth:
    """``health`` never raises: what keeps a provider from telling is its health."""

    @pytest.mark.parametrize("fault", FAULTS)
    async def test_faults(self, fault: str) -> None:
        health = await only("health", raising("health", FAULTS[fault])).health()
        assert (health.status, health.reason and health.reason.code) == (
            ProviderStatus.FAILED, "health_failed",
        )  # fmt: skip

    @pytest.mark.parametrize(
        "answer", [None, Health("ready"), Health(ProviderStatus.READY, "down"),  # type: ignore[arg-type]
                   Health(ProviderStatus.READY, version=7)],  # type: ignore[arg-type]
    )  # fmt: skip
    async def test_garbage(self, answer: object) -> None:
        async def call() -> object:
            return answer

        health = await only("health", call).health()
        assert health.reason is not None
        assert health.reason.code == "health_failed"

    async def test_a_refusal_is_the_reason(self) -> None:
        refusal = RateLimited("Slowly.", retry_after=7, fix="Wait.")
        health = await only("health", raising("health", refusal)).health()
        assert (health.status, health.reason) == (ProviderStatus.UNAVAILABLE, Reason.of(refusal))

    async def test_silence(self) -> None:
        health = await within(only("health", lambda: asyncio.sleep(1e6)).health())
        assert health.reason is not None
        assert health.reason.code == "health_timeout"


@pytest.mark.parametrize("fault", FAULTS)
async def test_closing_never_raises(fault: str) -> None:
    await only("close", raising("close", FAULTS[fault])).close()


async def test_closing_ends_in_time() -> None:
    await within(only("close", lambda: asyncio.sleep(1e6)).close())


class TestEndpoint:
    async def test_it_passes(self) -> None:
        assert guarded(SimpleNamespace(endpoint=None)).endpoint is None
        assert guarded(SimpleNamespace(endpoint="http://x")).endpoint == "http://x"

    async def test_garbage_and_faults(self) -> None:
        class Exits:
            @property
            def endpoint(self) -> str:
                raise SystemExit

        for inner in (SimpleNamespace(endpoint=42), Exits()):
            with pytest.raises(UpstreamError):
                _ = guarded(inner).endpoint


async def test_one_that_is_no_longer_wanted_lets_go_before_its_caller_goes_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(SECONDS, "remove", 60)
    seen: list[str] = []

    async def remove(ref: str) -> None:
        try:
            await asyncio.sleep(1e6)
        finally:
            await asyncio.sleep(0)
            seen.append("let go")

    asking = asyncio.create_task(only("remove", remove).remove("m"))
    await asyncio.sleep(0.01)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await within(asking)
    assert seen == ["let go"]


async def test_one_that_ignores_being_cancelled_is_left_behind() -> None:
    ended = asyncio.Event()

    async def describe(ref: str) -> Model:
        while not ended.is_set():
            try:
                await ended.wait()
            except asyncio.CancelledError:
                continue
        raise ModelNotFound("too late")

    try:
        with pytest.raises(UpstreamTimeout):
            await within(only("describe", describe).describe("m"))
    finally:
        ended.set()
    assert module.SECONDS is SECONDS
