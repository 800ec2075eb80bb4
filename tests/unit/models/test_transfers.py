"""A pull is done when its source says so, and only then; what fails installs and tells nothing."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.unit.models.stages import Stage, StagedProvider
from venom_core.models.transfers import ModelTransfers
from venom_core.sdk.errors import UpstreamError, UpstreamIncomplete, VenomError
from venom_core.sdk.hookspecs import ObservedEvent
from venom_core.sdk.provider import Model, PullProgress

BEGUN, DONE = PullProgress("pulling", "Fetching", 1, 2), PullProgress("completed", "Ready", 2, 2)


@dataclass
class Source(StagedProvider):
    """Plays the steps of a pull; what completed is listed."""

    steps: Sequence[PullProgress | VenomError] = ()
    closed: int = 0

    async def pull(self, ref: str) -> AsyncGenerator[PullProgress, None]:
        try:
            for step in self.steps:
                if isinstance(step, VenomError):
                    raise step
                if step.status == "completed":
                    self.stock = [*self.stock, Model(ref, "folder")]
                yield step
        finally:
            self.closed += 1

    async def remove(self, ref: str) -> None:
        await self._do("remove", ref)
        self.stock = ()


class World:
    """Transfers over one source, and what they reported."""

    def __init__(self, home: Path, *steps: PullProgress | VenomError) -> None:
        self.source = Source(steps=steps)
        self.events: list[ObservedEvent] = []
        stage = Stage(home, a=self.source)
        self.registry = stage.registry
        self.transfers = ModelTransfers(
            stage,  # type: ignore[arg-type]
            self.registry,
            self.events.append,
            stage.manager.check_removable,
        )

    async def installed(self) -> list[str]:
        return [item.reference for item in (await self.registry.listing()).installed]

    async def fetch(self) -> list[str]:
        async with contextlib.aclosing(self.transfers.fetch("a", "m")) as steps:
            return [step.status async for step in steps]


async def test_a_pull_that_completes_is_installed_and_told_once(tmp_path: Path) -> None:
    world = World(tmp_path, BEGUN, DONE)
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
    tmp_path: Path, steps: tuple[PullProgress | VenomError, ...]
) -> None:
    world = World(tmp_path, *steps)
    assert await world.installed() == []
    with pytest.raises(UpstreamIncomplete):
        await world.fetch()
    assert world.events == []
    assert await world.installed() == [] and world.source.asked.count("models") == 1, (
        "nothing has changed"
    )
    assert world.source.closed == 1


async def test_an_end_that_is_taken_back_is_no_success(tmp_path: Path) -> None:
    """The last step counts: a source that goes on after its end has not ended."""
    with pytest.raises(UpstreamIncomplete):
        await World(tmp_path, DONE, BEGUN).fetch()


async def test_who_goes_away_ends_the_transfer(tmp_path: Path) -> None:
    world = World(tmp_path, BEGUN, DONE)
    async with contextlib.aclosing(world.transfers.fetch("a", "m")) as steps:
        assert (await anext(steps)).status == "pulling"
    assert world.source.closed == 1 and world.events == []


async def test_a_removal_is_told_once_it_is_done(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.source.stock = [Model("m", "folder")]
    assert await world.transfers.remove("m") == "a://m"
    assert [event.name for event in world.events] == ["model.removed"]
    assert await world.installed() == []


async def test_a_removal_that_fails_tells_nothing(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.source.stock = [Model("m", "folder")]
    world.source.faults["remove"] = UpstreamError("It was not removed.")
    with pytest.raises(UpstreamError):
        await world.transfers.remove("m")
    assert world.events == [] and await world.installed() == ["a://m"]
