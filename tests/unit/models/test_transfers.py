"""A pull is done when its source says so, and only then; what fails installs and tells nothing."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, Sequence

import pytest

from venom_core.models.registry import ListedModel, ModelRegistry
from venom_core.models.transfers import ModelTransfers
from venom_core.sdk.errors import UpstreamIncomplete, VenomError
from venom_core.sdk.hookspecs import ObservedEvent
from venom_core.sdk.provider import Model, PullProgress

BEGUN, DONE = PullProgress("pulling", "Fetching", 1, 2), PullProgress("completed", "Ready", 2, 2)


class Source:
    """Plays the steps of a pull; what it lists is what was asked for last."""

    def __init__(self, *steps: PullProgress | VenomError) -> None:
        self.steps = steps
        self.stock: list[Model] = []
        self.listed = 0
        self.closed = 0

    async def models(self) -> Sequence[Model]:
        self.listed += 1
        return list(self.stock)

    async def pull(self, ref: str) -> AsyncGenerator[PullProgress, None]:
        try:
            for step in self.steps:
                if isinstance(step, VenomError):
                    raise step
                if step.status == "completed":
                    self.stock.append(Model(ref, "folder"))
                yield step
        finally:
            self.closed += 1

    async def remove(self, ref: str) -> None:
        if self.steps:
            raise UpstreamIncomplete("It was not removed.")
        self.stock.clear()


class World:
    """Transfers over one source, and what they reported."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.events: list[ObservedEvent] = []
        self.registry = ModelRegistry(
            self._names, list, self.provider, lambda name: name  # type: ignore[arg-type]
        )  # fmt: skip
        self.transfers = ModelTransfers(
            self, self.registry, self.events.append, self._removable  # type: ignore[arg-type]
        )  # fmt: skip

    async def _names(self) -> Sequence[str]:
        return ["a"]

    async def _removable(self, item: ListedModel) -> None:
        return None

    async def provider(self, name: str) -> Source:
        return self.source

    async def installed(self) -> list[str]:
        return [item.reference for item in (await self.registry.listing()).installed]

    async def fetch(self) -> list[str]:
        async with contextlib.aclosing(self.transfers.fetch("a", "m")) as steps:
            return [step.status async for step in steps]


async def test_a_pull_that_completes_is_installed_and_told_once() -> None:
    world = World(Source(BEGUN, DONE))
    assert await world.installed() == []
    assert await world.fetch() == ["pulling", "completed"]
    assert [(event.name, dict(event.data)) for event in world.events] == [
        ("model.pulled", {"provider": "a", "model": "m"})
    ]
    assert await world.installed() == ["a://m"], "the list is asked for anew"


@pytest.mark.parametrize(
    "steps",
    [
        (),
        (BEGUN,),
        (BEGUN, PullProgress("pulling", "Fetched", 2, 2)),  # all bytes, and no word of an end
        (BEGUN, UpstreamIncomplete("It broke off.")),
    ],
)
async def test_a_pull_without_its_end_is_no_success(
    steps: tuple[PullProgress | VenomError, ...],
) -> None:
    world = World(Source(*steps))
    assert await world.installed() == []
    with pytest.raises(UpstreamIncomplete):
        await world.fetch()
    assert world.events == []
    assert await world.installed() == [] and world.source.listed == 1, "nothing has changed"
    assert world.source.closed == 1


async def test_an_end_that_is_taken_back_is_no_success() -> None:
    """The last step counts: a source that goes on after its end has not ended."""
    with pytest.raises(UpstreamIncomplete):
        await World(Source(DONE, BEGUN)).fetch()


async def test_who_goes_away_ends_the_transfer() -> None:
    world = World(Source(BEGUN, DONE))
    async with contextlib.aclosing(world.transfers.fetch("a", "m")) as steps:
        assert (await anext(steps)).status == "pulling"
    assert world.source.closed == 1 and world.events == []


async def test_a_removal_is_told_once_it_is_done() -> None:
    world = World(Source())
    world.source.stock.append(Model("m", "folder"))
    assert await world.transfers.remove("m") == "a://m"
    assert [event.name for event in world.events] == ["model.removed"]
    assert await world.installed() == []


async def test_a_removal_that_fails_tells_nothing() -> None:
    world = World(Source(BEGUN))
    world.source.stock.append(Model("m", "folder"))
    with pytest.raises(UpstreamIncomplete):
        await world.transfers.remove("m")
    assert world.events == [] and await world.installed() == ["a://m"]
