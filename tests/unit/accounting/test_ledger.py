"""The ledger's observer: what counts where, and that a batch is written once."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from venom_core.accounting import ledger as module
from venom_core.accounting.ledger import Ledger
from venom_core.plugins.loader import observer
from venom_core.sdk.hookspecs import ObservedEvent
from venom_core.store.audit import Actor
from venom_core.store.database import open_database
from venom_core.store.ledger import Range, Tally, UsageRepository
from venom_core.testing.deadlines import patience, until

ALL = Range("0000-01-01", "9999-12-31")
NOON = 1_795_262_400.0  # 2026-11-21T12:00:00Z


def finished(**data: Any) -> ObservedEvent:
    return ObservedEvent(
        "chat.finished",
        {
            "key_id": None,
            "provider": "p",
            "model": "m",
            "stream": False,
            "code": None,
            "prompt_tokens": 10,
            "completion_tokens": 5,
            "pieces": 0,
            "ttft_seconds": 0.5,
            "duration_seconds": 2.5,
            **data,
        },
    )


def refused(code: str, model: str | None = None) -> ObservedEvent:
    data = {"key_id": "k", "provider": model and "p", "model": model, "code": code}
    return ObservedEvent("request.refused", data)


class Faulty(UsageRepository):
    """Fails as often as ``failures`` says, before or after the write."""

    failures = 0
    writes = 0
    prune_fails = False

    def add(self, batch: Any) -> None:
        self.writes += 1
        if self.failures:
            self.failures -= 1
            raise OSError("the disk is full")
        super().add(batch)

    def prune(self, before: str) -> int:
        if self.prune_fails:
            raise OSError("the disk is full")
        return super().prune(before)


@pytest.fixture
def usage(tmp_path: Path) -> Faulty:
    return Faulty(open_database(tmp_path / "venom.db"))


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WRITE_SECONDS", 0.01)


def the_one(usage: UsageRepository) -> Tally:
    return usage.summary(ALL, None).get("", Tally())


def test_it_is_an_observer() -> None:
    hooks = observer(Ledger(lambda: pytest.fail("opened")), "ledger")
    assert hooks.hook.venom_observe.get_hookimpls()


async def test_what_counts_where(usage: Faulty) -> None:
    ledger = Ledger(lambda: usage)
    for event in (
        finished(),
        finished(stream=True, completion_tokens=9, key_id="k"),
        finished(code="upstream_error", prompt_tokens=None, completion_tokens=None),
        finished(
            stream=True, code="client_gone", prompt_tokens=None, completion_tokens=None, pieces=7,
        ),
        refused("queue_full", "m"),
        refused("model_not_found"),
        ObservedEvent(
            "embed.finished",
            {"key_id": None, "provider": "p", "model": "e", "code": None, "prompt_tokens": 4},
        ),
        ObservedEvent("provider.state", {"provider": "p"}),
    ):  # fmt: skip
        ledger.venom_observe(event)
    await ledger.close()
    assert the_one(usage) == Tally(
        requests=5,
        refused=2,
        without_usage=2,
        prompt_tokens=24,
        completion_tokens=14,
        estimated_tokens=7,
        first_tokens=2,
        first_token_seconds=1.0,
        generation_tokens=8,
        generation_seconds=2.0,
        errors={"upstream_error": 1, "client_gone": 1, "queue_full": 1, "model_not_found": 1},
    )
    assert set(usage.summary(ALL, "model")) == {"p://m", "p://e", "://"}
    assert set(usage.summary(ALL, "key")) == {"", "k"}


async def test_it_writes_by_itself_in_one_batch(usage: Faulty, quick: None) -> None:
    ledger = Ledger(lambda: usage)
    for _ in range(1000):
        ledger.venom_observe(finished())
    await until(lambda: the_one(usage).requests == 1000)
    assert usage.writes == 1
    ledger.venom_observe(finished())
    await until(lambda: the_one(usage).requests == 1001)
    await ledger.close()


async def test_nothing_to_write_opens_no_store() -> None:
    ledger = Ledger(lambda: pytest.fail("opened"))
    ledger.venom_observe(ObservedEvent("plugin.state", {}))
    await ledger.close()


async def test_a_write_that_fails_is_kept_and_counted_once(usage: Faulty, quick: None) -> None:
    usage.failures = 2
    ledger = Ledger(lambda: usage)
    ledger.venom_observe(finished())
    await until(lambda: usage.writes == 1)
    ledger.venom_observe(finished(code="upstream_error"))
    await until(lambda: usage.writes >= 3)
    await ledger.close()
    assert the_one(usage).requests == 2
    assert the_one(usage).errors == {"upstream_error": 1}


async def test_old_days_that_cannot_be_removed_count_nothing_twice(
    usage: Faulty, quick: None
) -> None:
    usage.prune_fails = True
    ledger = Ledger(lambda: usage, retention_days=1)
    ledger.venom_observe(finished())
    await until(lambda: the_one(usage).requests == 1)
    assert await ledger.flush(), "the batch was taken for one that failed"
    await ledger.close()
    assert the_one(usage).requests == 1


async def test_a_store_that_stays_shut_does_not_keep_the_server_from_ending(usage: Faulty) -> None:
    usage.failures = 10_000
    ledger = Ledger(lambda: usage)
    ledger.venom_observe(finished())
    async with asyncio.timeout(patience(5)):
        await ledger.close()
    assert usage.writes == 1


async def test_days_are_utc_and_old_ones_go(usage: Faulty) -> None:
    now = NOON - 3 * 86_400
    ledger = Ledger(lambda: usage, retention_days=3, clock=lambda: now)
    ledger.venom_observe(finished())
    now += 86_400
    ledger.venom_observe(finished())
    now += 12 * 3600 - 1
    ledger.venom_observe(finished())
    assert await ledger.flush()
    assert {day: tally.requests for day, tally in usage.summary(ALL, "day").items()} == {
        "2026-11-18": 1,
        "2026-11-19": 2,
    }
    now += 1 + 86_400
    ledger.venom_observe(finished())
    await ledger.close()
    assert set(usage.summary(ALL, "day")) == {"2026-11-19", "2026-11-21"}


async def test_a_key_is_erased_with_what_is_not_written_yet(usage: Faulty) -> None:
    ledger = Ledger(lambda: usage)
    ledger.venom_observe(finished(key_id="k"))
    assert await ledger.flush()
    ledger.venom_observe(finished(key_id="k"))
    ledger.venom_observe(finished(key_id="other"))
    assert await ledger.erase("k", Actor("boss", "req-1")) == 1
    await ledger.close()
    assert set(usage.summary(ALL, "key")) == {"other"}
