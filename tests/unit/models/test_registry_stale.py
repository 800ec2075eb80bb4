"""A provider that is late or fails keeps the list that it gave last, and says why it is old."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.models.stages import Stage, StagedProvider
from venom_core.sdk.errors import RateLimited, Unavailable, UpstreamError, UpstreamTimeout
from venom_core.sdk.provider import Model
from venom_core.testing.deadlines import until

X, Y = Model("x", "folder"), Model("y", "folder")


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path, a=StagedProvider([X]), b=StagedProvider([Y]))


async def references(stage: Stage) -> list[str]:
    listing = await stage.registry.listing(fresh=True, patient=True)
    return [item.reference for item in listing.models]


@pytest.mark.parametrize(
    "error",
    [
        UpstreamError("It broke."),
        UpstreamTimeout("It was late."),
        RateLimited("Too many.", retry_after=7),
        Unavailable("It is down.", code="a_down"),
        KeyError("a fault of its own"),
    ],
)
async def test_a_failure_empties_no_list(stage: Stage, error: Exception) -> None:
    assert await references(stage) == ["a://x", "b://y"]
    stage.providers["a"].faults["models"] = error
    stage.providers["b"].stock = ()
    assert await references(stage) == ["a://x"], "the last good answer stays, a new one counts"
    listing = await stage.registry.listing()
    assert list(listing.stale) == ["a"]
    assert listing.stale["a"].code == getattr(error, "code", "upstream_error")
    assert (await stage.registry.resolve("x")).reference == "a://x"


async def test_an_answer_that_does_not_come_empties_no_list(stage: Stage) -> None:
    assert await references(stage) == ["a://x", "b://y"]
    stage.providers["a"].hangs.add("models")
    assert await references(stage) == ["a://x", "b://y"]
    assert (await stage.registry.listing()).stale["a"].code == "upstream_timeout"
    assert (await stage.registry.resolve("a://x")).reference == "a://x"


async def test_a_second_failure_keeps_what_the_first_one_kept(stage: Stage) -> None:
    await references(stage)
    stage.providers["a"].faults["models"] = UpstreamError("It broke.")
    for _ in range(2):
        assert await references(stage) == ["a://x", "b://y"]
    stage.providers["a"].faults.clear()
    assert await references(stage) == ["a://x", "b://y"]
    assert (await stage.registry.listing()).stale == {}


async def test_a_change_while_a_provider_is_asked_is_asked_for_anew(stage: Stage) -> None:
    provider = stage.providers["a"]
    await references(stage)
    stage.registry.forget("a")
    await stage.registry.listing()
    asked = provider.asked.count("models")
    await stage.registry.listing()
    assert provider.asked.count("models") == asked, "what was asked for is known"


async def test_only_who_is_unknown_is_asked(stage: Stage) -> None:
    await references(stage)
    asked = list(stage.providers["b"].asked)
    stage.registry.forget("a")
    await stage.registry.listing()
    assert stage.providers["b"].asked == asked


async def test_an_old_list_is_renewed_by_one_question_behind_it(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider = stage.providers["a"]
    await references(stage)
    monkeypatch.setattr("venom_core.models.registry.FRESH_SECONDS", -1.0)
    asked = provider.asked.count("models")
    provider.hangs.add("models")
    for _ in range(3):
        listing = await stage.registry.listing()
        assert [item.reference for item in listing.models] == ["a://x", "b://y"]
    await until(lambda: provider.asked.count("models") > asked)
    assert provider.asked.count("models") == asked + 1
    await stage.registry.close()


async def test_what_is_known_at_once_asks_once_behind_it(stage: Stage) -> None:
    for provider in stage.providers.values():
        provider.hangs.add("models")
    assert [stage.registry.known(), stage.registry.known()] == [None, None]
    await until(lambda: stage.providers["b"].asked)
    assert stage.registry.known() is None
    assert [provider.asked for provider in stage.providers.values()] == [["models"]] * 2
    await stage.registry.close()


async def test_a_default_waits_for_who_was_in_trouble(stage: Stage) -> None:
    stage.providers["a"].faults["models"] = Unavailable("It is down.")
    stage.providers["b"].stock = ()
    assert await references(stage) == []
    stage.providers["a"].faults.clear()
    chosen, _ = await stage.registry.default(lambda: "none://*", lambda _: True)
    assert chosen.reference == "a://x"
