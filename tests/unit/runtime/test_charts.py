"""Figures over the last minutes: counted by events, looked at while somebody asks, bounded."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from venom_core.runtime import charts
from venom_core.runtime.charts import INTERVAL, POINTS, Charts, Point
from venom_core.runtime.figures import Figures, Gpu
from venom_core.sdk.hookspecs import ObservedEvent
from venom_core.testing.deadlines import until
from venom_core.usecases.system import SystemUseCases

FIGURES = Figures(100, 40, 12.5, 1, 1, "/", Gpu(50.0, 10, 20))


class Clock:
    """A clock that a test turns."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class FakeReader:
    """Stands for the reader of the machine."""

    def __init__(self) -> None:
        self.read_times = 0
        self.fault: OSError | None = None

    async def read(self) -> Figures:
        self.read_times += 1
        if self.fault is not None:
            raise self.fault
        return FIGURES


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def reader() -> FakeReader:
    return FakeReader()


@pytest.fixture
async def made(clock: Clock, reader: FakeReader) -> Any:
    one = Charts(reader, clock)  # type: ignore[arg-type]
    yield one
    await one.close()


def chat(tokens: int | None = 10, took: float = 1.0, first: float | None = 0.0) -> ObservedEvent:
    data = {"completion_tokens": tokens, "duration_seconds": took, "ttft_seconds": first}
    return ObservedEvent("chat.finished", data)


async def last(made: Charts, seconds: float = 20) -> list[Point]:
    return [point for _, _, point in await made.read(seconds)]


async def test_requests_are_counted_in_the_interval_in_which_they_end(
    made: Charts, clock: Clock
) -> None:
    for event in (chat(), ObservedEvent("embed.finished"), ObservedEvent("rerank.finished"),
                  ObservedEvent("request.refused"), ObservedEvent("model.loaded")):  # fmt: skip
        made.venom_observe(event)
    clock.now += INTERVAL
    made.venom_observe(chat())
    points = await last(made)
    assert [one.requests for one in points[-3:]] == [0, 3, 1]
    assert [one.refused for one in points[-3:]] == [0, 1, 0]


@pytest.mark.parametrize(
    ("event", "told"),
    [
        (chat(80, 8.0, 0.0), [20, 20, 20, 20, 0]),
        (chat(80, 8.0, 4.0), [0, 0, 40, 40, 0]),  # of the wait for the first none
        (chat(7, 0.0), [0, 0, 0, 0, 7]),
        (chat(7, 1.0, 5.0), [0, 0, 0, 0, 7]),  # a first token later than the end: a wrong clock
        (chat(None, 8.0), [0, 0, 0, 0, 0]),
        (chat(0, 8.0), [0, 0, 0, 0, 0]),
        (chat(80, 8.0, None), [20, 20, 20, 20, 0]),
    ],
)
async def test_tokens_belong_to_the_time_in_which_they_were_generated(
    made: Charts, event: ObservedEvent, told: list[float]
) -> None:
    made.venom_observe(event)
    assert [round(one.tokens, 6) for one in (await last(made))[-5:]] == told


async def test_an_answer_of_hours_fills_no_memory(made: Charts) -> None:
    made.venom_observe(chat(1000, 1e9))
    assert len(made._points) <= POINTS + 1
    assert sum(one.tokens for one in await last(made, 600)) == pytest.approx(1000, rel=0.02)


async def test_what_is_older_is_forgotten(made: Charts, clock: Clock) -> None:
    for _ in range(3 * POINTS):
        made.venom_observe(chat())
        clock.now += INTERVAL
    assert len(made._points) <= POINTS + 1
    found = await made.read(1e9)
    assert len(found) == POINTS
    assert found[0][0] == (POINTS - 1) * INTERVAL and found[-1][0] == 0.0


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(charts, "INTERVAL", 0.01)


async def test_the_machine_is_asked_while_somebody_looks_and_not_longer(
    made: Charts, clock: Clock, reader: FakeReader, quick: None
) -> None:
    made.venom_observe(chat())
    assert reader.read_times == 0, "nobody looks"
    (point,) = await last(made, 0.01)
    assert point.figures is FIGURES, "the first who looks sees something"
    await until(lambda: reader.read_times > 3)
    clock.now += charts.PATIENCE
    await until(lambda: made._sampler is None)
    seen = reader.read_times
    await last(made)
    assert reader.read_times == seen + 1, "who comes back finds it asked again"
    await until(lambda: reader.read_times > seen + 2)
    await made.close()
    assert made._sampler is None


async def test_a_machine_that_does_not_tell_leaves_the_rest(
    made: Charts, reader: FakeReader, quick: None
) -> None:
    reader.fault = OSError("the disk is gone")
    made.venom_observe(chat())
    points = await last(made)
    assert points[-1].requests == 1 and points[-1].figures is None
    await until(lambda: reader.read_times > 2)
    reader.fault = None
    await until(lambda: any(one.figures for one in made._points.values()))


async def test_who_knows_a_point_gets_that_one_and_those_after_it(
    made: Charts, clock: Clock
) -> None:
    whole = await made.read(20)
    assert len(whole) == 10
    began = whole[-1][0]
    clock.now += 2 * INTERVAL
    # The time of day and this clock are read one after the other: the ages are off by moments.
    for error in (-0.01, 0.0, 0.01):
        known = await made.read(20, began + 2 * INTERVAL + error)
        assert [round(ago - whole[-1][0]) for ago, _, _ in known] == [4, 2, 0]


@pytest.mark.parametrize(("known", "count"), [(500.0, 10), (-7.0, 1), (float("inf"), 10)])
async def test_what_is_known_bounds_nothing_beyond_what_is_asked_for(
    made: Charts, known: float, count: int
) -> None:
    assert len(await made.read(20, known)) == count


async def test_the_totals_are_those_of_now_where_the_newest_points_saw_no_machine_yet(
    made: Charts, reader: FakeReader, clock: Clock
) -> None:
    """Seen on the page: the memory's total was gone with every second answer."""
    system = SystemUseCases(None, reader, made)  # type: ignore[arg-type]
    whole = await system.series(20)
    clock.now += INTERVAL
    told = await system.series(20, datetime.now(UTC) + timedelta(days=1))
    assert [one["memory_used_mb"] for one in told["points"]] == [None]
    for field in ("memory_total_mb", "vram_total_mb", "disk_total_mb"):
        assert told[field] == whole[field] is not None, field
