"""Limits of a key: which models, and how much a day."""

from __future__ import annotations

import asyncio

import pytest

from venom_core.accounting.quotas import Quotas
from venom_core.models.registry import ListedModel
from venom_core.sdk.errors import Forbidden, RateLimited
from venom_core.sdk.provider import Model
from venom_core.store.keys import ApiKey, KeyRights

NOON = 1_795_262_400.0  # 2026-11-21T12:00:00Z


def key(**rights: object) -> ApiKey:
    return ApiKey("k", "laptop", "2026-11-21T00:00:00Z", None, KeyRights(**rights))  # type: ignore[arg-type]


def listed(reference: str) -> ListedModel:
    provider, _, ref = reference.partition("://")
    return ListedModel(provider, Model(ref, "gguf"), ref)


class Stage:
    """Quotas over a ledger that says ``used``, at the time ``now``."""

    def __init__(self, used: tuple[int, int] = (0, 0)) -> None:
        self.now = NOON
        self.asked: list[tuple[str, str]] = []
        self.used = used
        self.quotas = Quotas(self.ask, lambda: self.now)

    def ask(self, key_id: str, day: str) -> tuple[int, int]:
        self.asked.append((key_id, day))
        return self.used


@pytest.mark.parametrize(
    ("globs", "reference", "allowed"),
    [
        (None, "ollama://gemma3:4b", True),
        (("gemma3:*",), "ollama://gemma3:4b", True),
        (("gemma3:*",), "remote://gemma3:4b", True),
        (("ollama://gemma3:*",), "ollama://gemma3:4b", True),
        (("ollama://gemma3:*",), "remote://gemma3:4b", False),
        (("gemma3:*",), "ollama://gemma30:4b", False),
        (("gemma3:*",), "ollama://GEMMA3:4b", False),
        (("gemma3",), "ollama://gemma3:4b", False),
        (("x", "org/*"), "hf://org/model", True),
        (("*://m",), "hf://m", True),
    ],
)
def test_models_by_glob(globs: tuple[str, ...] | None, reference: str, allowed: bool) -> None:
    quotas = Stage().quotas
    quotas.set_limits(key(models=globs, requests_per_day=5))
    assert quotas.allows("k", listed(reference)) is allowed
    assert quotas.allows("other", listed(reference))
    assert quotas.allows(None, listed(reference))
    if not allowed:
        with pytest.raises(Forbidden) as raised:
            quotas.check_model("k", listed(reference))
        assert raised.value.code == "model_not_allowed"


async def test_requests_a_day_begin_with_what_the_ledger_says() -> None:
    stage = Stage(used=(3, 0))
    stage.quotas.set_limits(key(requests_per_day=5))
    await stage.quotas.take("k")
    await stage.quotas.take("k")
    with pytest.raises(RateLimited) as raised:
        await stage.quotas.take("k")
    assert raised.value.code == "quota_exceeded"
    assert raised.value.retry_after == 12 * 3600
    assert stage.asked == [("k", "2026-11-21")]
    stage.quotas.give_back("k")
    await stage.quotas.take("k")


async def test_tokens_a_day() -> None:
    stage = Stage(used=(0, 90))
    stage.quotas.set_limits(key(tokens_per_day=100))
    await stage.quotas.take("k")
    stage.quotas.spend("k", 9)
    await stage.quotas.take("k")
    stage.quotas.spend("k", 1)
    with pytest.raises(RateLimited):
        await stage.quotas.take("k")


async def test_a_new_day_begins_at_nothing() -> None:
    stage = Stage(used=(1, 100))
    stage.quotas.set_limits(key(requests_per_day=1))
    with pytest.raises(RateLimited):
        await stage.quotas.take("k")
    stage.now += 12 * 3600
    await stage.quotas.take("k")
    with pytest.raises(RateLimited):
        await stage.quotas.take("k")
    stage.now += 86_400
    stage.quotas.give_back("k")  # of a request of the day before
    stage.quotas.spend("k", 7)
    await stage.quotas.take("k")
    with pytest.raises(RateLimited):
        await stage.quotas.take("k")


async def test_many_at_once_take_no_more_than_there_is() -> None:
    stage = Stage(used=(10, 0))
    stage.quotas.set_limits(key(requests_per_day=15))
    done = await asyncio.gather(
        *(stage.quotas.take("k") for _ in range(50)), return_exceptions=True
    )
    assert done.count(None) == 5
    assert len(stage.asked) == 1


async def test_a_key_without_limits_costs_no_question() -> None:
    stage = Stage()
    stage.quotas.set_limits(key())
    for key_id in ("k", "local", "file", None):
        await stage.quotas.take(key_id)
        stage.quotas.spend(key_id, 10)
        stage.quotas.give_back(key_id)
    assert stage.asked == []
