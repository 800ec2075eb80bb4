"""A provider that is late or fails keeps the list that it gave last, and says why it is old."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from venom_core.models import registry as registry_module
from venom_core.models.registry import ModelRegistry
from venom_core.sdk.errors import RateLimited, Unavailable, UpstreamError, UpstreamTimeout
from venom_core.sdk.provider import Model

X, Y = Model("x", "folder"), Model("y", "folder")


class Listed:
    """A provider that answers with ``stock``, raises ``error``, or is late."""

    def __init__(self, *stock: Model) -> None:
        self.stock = stock
        self.error: Exception | None = None
        self.late = False

    async def models(self) -> Sequence[Model]:
        if self.late:
            await asyncio.Event().wait()
        if self.error is not None:
            raise self.error
        return self.stock


def registry_of(**providers: Listed) -> ModelRegistry:
    async def names() -> Sequence[str]:
        return list(providers)

    async def opened(name: str) -> Listed:
        return providers[name]

    return ModelRegistry(names, list, opened, lambda name: name)  # type: ignore[arg-type]


async def references(registry: ModelRegistry) -> list[str]:
    listing = await registry.listing(fresh=True, patient=True)
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
async def test_a_failure_empties_no_list(error: Exception) -> None:
    failing, other = Listed(X), Listed(Y)
    registry = registry_of(a=failing, b=other)
    assert await references(registry) == ["a://x", "b://y"]
    failing.error, other.stock = error, ()
    assert await references(registry) == ["a://x"], "the last good answer stays, a new one counts"
    listing = await registry.listing()
    assert list(listing.stale) == ["a"]
    assert listing.stale["a"].code == getattr(error, "code", "upstream_error")
    assert (await registry.resolve("x")).reference == "a://x"


async def test_an_answer_that_does_not_come_empties_no_list(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    slow = Listed(X)
    registry = registry_of(a=slow)
    assert await references(registry) == ["a://x"]
    monkeypatch.setattr(registry_module, "ASK_TIMEOUT", 0.05)
    slow.late = True
    assert await references(registry) == ["a://x"]
    assert (await registry.listing()).stale["a"].code == "upstream_timeout"
    assert (await registry.resolve("a://x")).reference == "a://x"


async def test_a_second_failure_keeps_what_the_first_one_kept() -> None:
    failing = Listed(X)
    registry = registry_of(a=failing)
    await references(registry)
    for _ in range(2):
        failing.error = UpstreamError("It broke.")
        assert await references(registry) == ["a://x"]
    failing.error = None
    assert await references(registry) == ["a://x"]
    assert (await registry.listing()).stale == {}
