"""The moments of a log's lines, and those that are not older than one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta

import click

_DISTANCE = re.compile(r"(\d{1,6})([smhd])", re.ASCII)
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
# The server's lines for people are in local time, its objects and an engine's lines are in UTC.
_STARTS = re.compile(
    r"(?:\{\"time\": \")?(?P<time>\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d)(?:[,.]\d{1,6})?(?P<utc>Z?)"
)


class Since(click.ParamType):  # type: ignore[type-arg]  # generic in newer releases only
    """A distance (``90s``, ``10m``, ``2h``, ``3d``) or a moment (``2026-11-28T10:00``, local
    unless it says otherwise)."""

    name = "time"

    def convert(
        self, value: str | datetime, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        """Return the moment in UTC."""
        if isinstance(value, datetime):
            return value
        try:
            if distance := _DISTANCE.fullmatch(value):
                back = timedelta(**{_UNITS[distance[2]]: int(distance[1])})
                return datetime.now(UTC) - back
            return datetime.fromisoformat(value).astimezone(UTC)
        except (OverflowError, ValueError):
            self.fail(f"{value!r} is no time: write 10m, 2h, 3d or 2026-11-28T10:00.", param, ctx)


def has_times(lines: Iterable[str]) -> bool:
    """Return whether any line says when it was written."""
    return any(_moment(line) for line in lines)


def not_older(lines: Iterable[str], since: datetime) -> Iterator[str]:
    """Yield the lines written since then; one without a time belongs to the one before it."""
    new, since = False, since.replace(microsecond=0)  # as finely as lines are compared
    for line in lines:
        if moment := _moment(line):
            new = moment >= since
        if new:
            yield line


def _moment(line: str) -> datetime | None:
    found = _STARTS.match(line)
    if found is None:
        return None
    try:
        moment = datetime.fromisoformat(found["time"])
        return moment.replace(tzinfo=UTC) if found["utc"] else moment.astimezone(UTC)
    except (OverflowError, ValueError):
        return None
