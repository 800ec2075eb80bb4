"""The model that a name means where it is not installed, and the providers that are asked."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from tests.unit.guards import guarded
from venom_core.models.describing import described
from venom_core.models.registry import ListedModel, Listing
from venom_core.plugins.guarded import SECONDS
from venom_core.sdk.errors import ModelNotFound, Unavailable, UpstreamTimeout
from venom_core.sdk.provider import Model
from venom_core.sdk.spec import Capability

Answer = Model | Exception


class World:
    """Providers that describe, in order, and what is listed; notes who was asked."""

    def __init__(self, offered: Sequence[Model] = (), **answers: Answer) -> None:
        self.offered, self.answers = offered, answers
        self.asked: list[str] = []

    # the host
    def specs(self) -> dict[str, Any]:
        can = SimpleNamespace(capabilities=frozenset({Capability.DESCRIBE}))
        return {**dict.fromkeys(self.answers, can), "mute": SimpleNamespace(capabilities=())}

    def resolve_name(self, name: str) -> str | None:
        return name if name in self.answers else None

    async def provider(self, name: str) -> Any:
        async def describe(ref: str) -> Model:
            self.asked.append(name)
            answer = self.answers[name]
            if isinstance(answer, Exception):
                raise answer
            return answer

        return SimpleNamespace(describe=describe)

    # the registry
    async def unaliased(self, name: str) -> str:
        return name

    async def resolve(self, name: str) -> ListedModel:
        raise ModelNotFound(f"no {name}")

    async def listing(self) -> Listing:
        return Listing(tuple(ListedModel("a", model) for model in self.offered))

    async def providers(self) -> Sequence[str]:
        return ["mute", *self.answers]


async def find(world: World, name: str) -> ListedModel:
    return await described(world, world, name)  # type: ignore[arg-type]


THERE = Model("org/repo", "folder", installed=False)


async def test_the_first_that_knows_it_tells() -> None:
    world = World(a=ModelNotFound("no"), b=Unavailable("down"), c=THERE, d=THERE)
    found = await find(world, "org/repo")
    assert (found.provider, found.id) == ("c", "c://org/repo")
    assert world.asked == ["a", "b", "c"]


async def test_what_keeps_one_from_answering_is_said_where_no_other_knows_it() -> None:
    with pytest.raises(Unavailable, match="down"):
        await find(World(a=Unavailable("down"), b=ModelNotFound("no")), "org/repo")


async def test_a_plain_name_is_asked_of_nobody() -> None:
    world = World(a=THERE)
    with pytest.raises(ModelNotFound):
        await find(world, "gemma3")
    assert world.asked == []


async def test_only_the_named_provider_is_asked() -> None:
    world = World(a=THERE, b=THERE)
    assert (await find(world, "b://org/repo")).provider == "b"
    assert world.asked == ["b"]


async def test_an_offered_model_is_described_as_far_as_its_provider_can() -> None:
    offered = Model("m", "gguf", installed=False, size_bytes=5)
    told = await find(World([offered], a=Model("m", "gguf", installed=False, license="MIT")), "m")
    assert told.model.license == "MIT"
    assert (await find(World([offered], a=ModelNotFound("not here")), "a://m")).model is offered


async def test_a_provider_that_never_answers_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import asyncio

    monkeypatch.setitem(SECONDS, "describe", 0.01)
    world = World(a=THERE)

    async def provider(name: str) -> Any:
        return guarded(SimpleNamespace(describe=lambda ref: asyncio.sleep(60)))

    monkeypatch.setattr(world, "provider", provider)
    with pytest.raises(UpstreamTimeout):
        await find(world, "org/repo")
