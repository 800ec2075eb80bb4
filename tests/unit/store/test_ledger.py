"""The ledger in the store: sums that grow, all or nothing, and what can be asked of them."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Engine, event

from venom_core.store.database import open_database
from venom_core.store.ledger import Line, Range, Tally, UsageRepository

ALL = Range("0000-01-01", "9999-12-31")
ONE = Line("2026-11-20", "k1", "p", "m")
TWO = Line("2026-11-21", "k1", "p", "n")
OTHER = Line("2026-11-21", "", "q", "m")


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    return open_database(tmp_path / "venom.db")


@pytest.fixture
def usage(engine: Engine) -> UsageRepository:
    return UsageRepository(engine)


def tally(requests: int, *, refused: int = 0, **codes: int) -> Tally:
    return Tally(
        requests=requests,
        refused=refused,
        prompt_tokens=10 * requests,
        completion_tokens=3 * requests,
        first_tokens=requests,
        first_token_seconds=0.5 * requests,
        generation_tokens=20 * requests,
        generation_seconds=2.0 * requests,
        errors=dict(codes),
    )


def test_what_is_added_adds_up(usage: UsageRepository) -> None:
    usage.add({ONE: tally(2, upstream_error=1), TWO: tally(1)})
    usage.add({ONE: tally(3, upstream_error=2, client_gone=1)})
    (whole,) = usage.summary(ALL, None).values()
    assert whole.requests == 6
    assert whole.errors == {"upstream_error": 3, "client_gone": 1}
    assert whole.prompt_tokens == 60
    assert whole.view()["time_to_first_token_ms"] == 500.0
    assert whole.view()["tokens_per_second"] == 10.0
    assert whole.view()["failed"] == 4


def test_a_batch_that_breaks_off_changes_nothing(engine: Engine, usage: UsageRepository) -> None:
    usage.add({ONE: tally(1)})

    def breaks(*_: object) -> None:
        raise OSError("the disk is full")

    event.listen(engine, "commit", breaks)
    with pytest.raises(OSError, match="full"):
        usage.add({ONE: tally(1, upstream_error=1), TWO: tally(1)})
    event.remove(engine, "commit", breaks)
    assert usage.summary(ALL, "model") == {"p://m": tally(1)}
    usage.add({ONE: tally(1, upstream_error=1), TWO: tally(1)})
    assert usage.summary(ALL, None)[""].requests == 3


@pytest.mark.parametrize(
    ("by", "names"),
    [
        ("model", {"p://m", "p://n", "q://m"}),
        ("key", {"k1", ""}),
        ("provider", {"p", "q"}),
        ("day", {"2026-11-20", "2026-11-21"}),
    ],
)
def test_sums_by(usage: UsageRepository, by: str, names: set[str]) -> None:
    usage.add({ONE: tally(1), TWO: tally(2, client_gone=1), OTHER: tally(4)})
    found = usage.summary(ALL, by)  # type: ignore[arg-type]
    assert set(found) == names
    assert sum(one.requests for one in found.values()) == 7
    assert sum(one.errors.get("client_gone", 0) for one in found.values()) == 1


@pytest.mark.parametrize(
    ("where", "requests"),
    [
        (Range("2026-11-20", "2026-11-20"), 1),
        (Range("2026-11-21", "2026-11-30"), 6),
        (Range("2026-11-22", "2026-11-30"), 0),
        (Range("2026-11-01", "2026-11-30", key_id=""), 4),
        (Range("2026-11-01", "2026-11-30", key_id="k1", model="n"), 2),
        (Range("2026-11-01", "2026-11-30", provider="q"), 4),
    ],
)
def test_a_range(usage: UsageRepository, where: Range, requests: int) -> None:
    usage.add({ONE: tally(1), TWO: tally(2), OTHER: tally(4)})
    assert sum(one.requests for one in usage.summary(where, "day").values()) == requests


def test_lines_come_in_pages_with_their_errors(usage: UsageRepository) -> None:
    batch = {
        Line(f"2026-11-{day:02}", "k", "p", f"m{model}"): tally(1, refused=1, **{f"e{day}": 1})
        for day in range(1, 8)
        for model in range(3)
    }
    usage.add(batch)
    found: list[tuple[Line, Tally]] = []
    while page := usage.lines(ALL, found[-1][0] if found else None, 4):
        assert len(page) <= 4
        found += page
    assert [line for line, _ in found] == sorted(batch)
    assert dict(found) == batch


def test_what_a_key_used_today(usage: UsageRepository) -> None:
    usage.add({ONE: tally(1), TWO: tally(2), OTHER: tally(4)})
    assert usage.used("k1", "2026-11-21") == (2, 26)
    assert usage.used("k9", "2026-11-21") == (0, 0)


def test_a_key_is_erased_and_nobody_else(usage: UsageRepository) -> None:
    usage.add({ONE: tally(1, client_gone=1), TWO: tally(2), OTHER: tally(4, client_gone=1)})
    assert usage.erase("k1") == 2
    assert usage.summary(ALL, "key") == {"": tally(4, client_gone=1)}


def test_old_days_are_forgotten(usage: UsageRepository) -> None:
    usage.add({ONE: tally(1, client_gone=1), TWO: tally(2), OTHER: tally(4)})
    assert usage.prune("2026-11-21") == 1
    assert set(usage.summary(ALL, "day")) == {"2026-11-21"}
    assert usage.summary(ALL, None)[""].errors == {}
