"""The catalogue's cache: fresh for half an hour, stale rather than empty, never slow for long."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.unit.guards import guarded
from venom_core.models import catalogue as module
from venom_core.models.catalogue import FRESH_SECONDS, MOST_KEPT, PAUSE_SECONDS, Catalogue
from venom_core.models.registry import ListedModel, Listing
from venom_core.sdk.catalogue import CatalogueEntry, NewsItem, SearchFilters, SearchPage
from venom_core.sdk.errors import (
    InvalidRequest,
    NotFound,
    NotSupported,
    RateLimited,
    Unavailable,
    UpstreamError,
)
from venom_core.sdk.provider import Model, Provider, ProviderContext
from venom_core.sdk.spec import Capability, ProviderSpec
from venom_core.sdk.states import Health, ProviderStatus, Reason
from venom_core.testing.deadlines import patience, until

NONE = SearchFilters()
DOWN = Unavailable("It is down.", code="hub_unreachable", fix="Plug it in.")


def spec(name: str, *capabilities: Capability) -> ProviderSpec:
    return ProviderSpec(name, name.title(), "x", "x:X", frozenset(capabilities))


class Source(Provider):
    """Answers with a number that counts its calls, or does as told."""

    def __init__(self, name: str) -> None:
        context = ProviderContext(spec(name), {}, Path(), Path(), logging.getLogger("x"))
        super().__init__(context)
        self.name = name
        self.calls = 0
        self.failure: BaseException | None = None
        self.gate: asyncio.Event | None = None

    async def health(self) -> Health:
        return Health(ProviderStatus.READY)

    async def models(self) -> Sequence[Model]:
        return ()

    async def _answer(self) -> None:
        self.calls += 1
        if self.gate is not None:
            await self.gate.wait()
        if self.failure is not None:
            raise self.failure

    async def trending(self, limit: int) -> Sequence[CatalogueEntry]:
        await self._answer()
        return tuple(
            CatalogueEntry(f"{self.name}/{self.calls}-{place}") for place in range(min(limit, 9))
        )

    async def search(self, query: str, filters: SearchFilters, limit: int, page: int) -> SearchPage:
        await self._answer()
        return SearchPage((CatalogueEntry(f"{query}-{self.calls}"),), 1)

    async def news(self, kind: Any, month: str | None, lang: str, limit: int) -> list[NewsItem]:
        await self._answer()
        return [NewsItem(f"{kind}", "https://x", "", None, (), "x")]


class Host:
    def __init__(self) -> None:
        ability = (Capability.TRENDING, Capability.SEARCH, Capability.NEWS)
        self.sources = {"hf": Source("hf"), "mine": Source("mine")}
        self._specs = {
            "hf": spec("hf", *ability),
            "mine": spec("mine", *ability),
            "ollama": spec("ollama", Capability.CHAT),
            "llamacpp": spec("llamacpp", Capability.CHAT, Capability.ENGINES),
        }

    def specs(self) -> Mapping[str, ProviderSpec]:
        return self._specs

    def resolve_name(self, name: str) -> str | None:
        found = {"huggingface": "hf"}.get(name, name)
        return found if found in self._specs else None

    async def provider(self, name: str) -> Provider:
        if name == "vllm":
            raise Unavailable("It was disabled.", code="disabled_by_user")
        if name not in self.sources:
            raise NotFound("No.", code="provider_not_found")
        return guarded(self.sources[name], name)

    def without(self, *names: str) -> None:
        for name in names:
            self.sources.pop(name, None)
            self._specs.pop(name, None)


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


Made = tuple[Catalogue, Host, Clock]


@pytest.fixture
async def made() -> Any:
    host, clock = Host(), Clock()
    listed = (
        ListedModel("ollama", Model("gemma3:4b", "ollama", size_bytes=3)),
        ListedModel("llamacpp", Model("tiny", "gguf", frozenset({"chat"}), installed=False)),
    )

    async def names() -> Sequence[str]:
        return tuple(host.specs())

    async def listing() -> Listing:
        return Listing(listed, {"ollama": Reason("ollama_down", "Ollama is down.")})

    catalogue = Catalogue(host, names, listing, clock)
    yield catalogue, host, clock
    await catalogue.close()


async def refs(asked: Awaitable[Any]) -> list[str]:
    return [item.entry.ref for item in (await asked).entries]


async def test_an_answer_is_kept_for_half_an_hour(made: Made) -> None:
    catalogue, host, clock = made
    first = await catalogue.trending("hf", 2)
    clock.now += FRESH_SECONDS - 1
    assert await catalogue.trending("hf", 2) == first
    assert (host.sources["hf"].calls, first.reasons) == (1, ())
    clock.now += 2
    assert await refs(catalogue.trending("huggingface", 2)) == ["hf/2-0", "hf/2-1"]


async def test_questions_are_kept_apart(made: Made) -> None:
    catalogue, host, _ = made
    gguf = SearchFilters(format="gguf")
    for arguments in (("a", NONE, 5, 1), ("b", NONE, 5, 1), ("a", gguf, 5, 1), ("a", NONE, 6, 1),
                      ("a", NONE, 5, 2)):  # fmt: skip
        await catalogue.search("hf", *arguments)
        await catalogue.search("hf", *arguments)
    assert host.sources["hf"].calls == 5
    for kind, month, lang in (("blog", None, "en"), ("papers", None, "en"),
                              ("blog", "2026-10", "en"), ("blog", None, "pl")):  # fmt: skip
        await catalogue.news("hf", kind, month, lang, 5)  # type: ignore[arg-type]
    assert host.sources["hf"].calls == 9


async def test_a_failure_gives_the_last_good_answer(made: Made) -> None:
    catalogue, host, clock = made
    _, good = await catalogue.search("hf", "gemma", NONE, 5, 1)
    host.sources["hf"].failure = DOWN
    clock.now += FRESH_SECONDS + 1
    _, stale = await catalogue.search("hf", "gemma", NONE, 5, 1)
    assert (stale.value, stale.stale) == (good.value, True)
    assert stale.reason == Reason("hub_unreachable", "It is down.", "Plug it in.")


async def test_a_failure_is_never_an_empty_catalogue(made: Made) -> None:
    """It is told at once for a while, and then asked again."""
    catalogue, host, clock = made
    source = host.sources["hf"]
    source.failure = DOWN
    found = await catalogue.trending("hf", 5)
    assert (found.entries, found.answered, found.reasons[0].code) == ((), False, "hub_unreachable")
    assert (await catalogue.trending("hf", 5)).answered is False
    assert source.calls == 1
    source.failure = None
    clock.now += PAUSE_SECONDS + 1
    found = await catalogue.trending("hf", 5)
    assert (len(found.entries), found.reasons) == (5, ())


async def test_a_source_that_says_how_long_is_left_alone_for_so_long(made: Made) -> None:
    catalogue, host, clock = made
    host.sources["hf"].failure = RateLimited("Slower.", retry_after=100)
    await catalogue.trending("hf", 5)
    clock.now += 99
    await catalogue.trending("hf", 5)
    assert host.sources["hf"].calls == 1
    clock.now += 2
    await catalogue.trending("hf", 5)
    assert host.sources["hf"].calls == 2


async def test_the_same_question_at_once_is_asked_once(made: Made) -> None:
    catalogue, host, _ = made
    host.sources["hf"].gate = asyncio.Event()
    asked = [asyncio.create_task(catalogue.trending("hf", 5)) for _ in range(8)]
    await until(lambda: host.sources["hf"].calls)
    asked[0].cancel()  # who goes away takes nothing from the others
    host.sources["hf"].gate.set()
    done = await asyncio.gather(*asked, return_exceptions=True)
    assert host.sources["hf"].calls == 1
    assert len({tuple(found.entries) for found in done[1:]}) == 1  # type: ignore[union-attr]


async def test_a_slow_source_does_not_make_a_listing_slow(
    made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalogue, host, _ = made
    monkeypatch.setattr(module, "PATIENCE", 0.05)
    gate = host.sources["hf"].gate = asyncio.Event()
    async with asyncio.timeout(patience(10)):
        found = await catalogue.providers(None, 20)
    assert {item.provider for item in found.entries} == {"mine", "ollama", "llamacpp"}
    assert "upstream_timeout" in [reason.code for reason in found.reasons]
    gate.set()
    assert len((await catalogue.trending("hf", 20)).entries) == 9
    assert host.sources["hf"].calls == 1


@pytest.mark.parametrize("fault", [RuntimeError("secret"), SystemExit(3), KeyError("x")])
async def test_a_fault_of_a_source_is_its_own(made: Made, fault: BaseException) -> None:
    catalogue, host, _ = made
    host.sources["hf"].failure = fault
    found = await catalogue.trending(None, 20)
    assert {item.provider for item in found.entries} == {"mine"}
    assert (found.answered, found.reasons[0].code) == (True, UpstreamError.default_code)
    assert "secret" not in found.reasons[0].message


async def test_a_wrong_question_is_said_and_not_kept(made: Made) -> None:
    catalogue, host, _ = made
    host.sources["hf"].failure = NotSupported("It has no such filter.", param="license")
    for _ in range(2):
        with pytest.raises(NotSupported, match="no such filter"):
            await catalogue.search("hf", "x", NONE, 5, 1)
    host.sources["hf"].failure = None
    assert (await catalogue.search("hf", "x", NONE, 5, 1))[1].value is not None


async def test_what_is_kept_is_bounded(made: Made) -> None:
    catalogue, host, _ = made
    for number in range(MOST_KEPT + 10):
        await catalogue.search("hf", f"{number}", NONE, 5, 1)
    assert len(catalogue._kept) == MOST_KEPT
    await catalogue.search("hf", f"{MOST_KEPT}", NONE, 5, 1)
    assert host.sources["hf"].calls == MOST_KEPT + 10


async def test_providers_take_turns(made: Made) -> None:
    catalogue, _, _ = made
    found = await catalogue.providers(None, 6)
    assert [item.provider for item in found.entries] == [
        "llamacpp", "hf", "mine", "ollama", "hf", "mine",
    ]  # fmt: skip
    assert [item.installed for item in found.entries][:4] == [False, False, False, True]
    assert [reason.code for reason in found.reasons] == ["ollama_down"]


async def test_one_provider(made: Made) -> None:
    catalogue, _, _ = made
    assert await refs(catalogue.providers("ollama", 5)) == ["gemma3:4b"]
    assert await refs(catalogue.providers("local", 5)) == ["tiny"]
    assert await refs(catalogue.trending("llamacpp", 5)) == ["tiny"]
    for ask in (lambda: catalogue.search("ollama", "x", NONE, 5, 1),
                lambda: catalogue.news("local", "blog", None, "en", 5)):  # fmt: skip
        with pytest.raises(NotSupported):
            await ask()


async def test_a_provider_that_is_not_installed(made: Made) -> None:
    catalogue, host, _ = made
    host.without("hf", "mine")
    asks: Sequence[Callable[[], Awaitable[Any]]] = (
        lambda: catalogue.trending(None, 5),
        lambda: catalogue.trending("huggingface", 5),
        lambda: catalogue.providers("huggingface", 5),
    )
    for ask in asks:
        found = await ask()
        assert (found.answered, found.reasons[0].code) == (False, "provider_missing")
        assert found.reasons[0].fix == "venom plugins install hf"
    _, answer = await catalogue.search("huggingface", "x", NONE, 5, 1)
    assert (answer.value, answer.reason and answer.reason.code) == (None, "provider_missing")
    # Without sources, the rest is still listed.
    assert await refs(catalogue.providers(None, 5)) == ["tiny", "gemma3:4b"]


async def test_a_provider_that_cannot_be_used_says_why(made: Made) -> None:
    catalogue, _, _ = made
    _, answer = await catalogue.search("vllm", "x", NONE, 5, 1)
    assert answer.reason is not None and answer.reason.code == "disabled_by_user"


async def test_no_provider_at_all(made: Made) -> None:
    catalogue, _, _ = made
    for ask in (lambda: catalogue.trending("nobody", 5),
                lambda: catalogue.search("nobody", "x", NONE, 5, 1)):  # fmt: skip
        with pytest.raises(InvalidRequest) as refused:
            await ask()
        assert refused.value.code == "unknown_provider"


async def test_closing_ends_what_is_asked(made: Made) -> None:
    catalogue, host, _ = made
    host.sources["hf"].gate = asyncio.Event()
    asked = asyncio.create_task(catalogue.trending("hf", 5))
    await until(lambda: catalogue._asking)
    await catalogue.close()
    assert not catalogue._asking
    asked.cancel()
