"""The ledger as it is shown: one shape for the API and the commands, and CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from typing_extensions import TypedDict

from venom_core.store.ledger import Grouping, Line, Range, Tally, TallyView, UsageRepository

#: Begins a formula for spreadsheets; the last two are left out at the start of a cell by some.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
CSV_COLUMNS = (
    *("day", "key", "provider", "model", "requests", "refused", "failed", "errors"),
    *("prompt_tokens", "completion_tokens", "estimated_tokens", "without_usage"),
    *("time_to_first_token_ms", "tokens_per_second"),
)


class UsageGroup(TallyView):
    """``name`` is the model, key, provider or day; ``key_name`` the name of a key."""

    name: str
    key_name: str | None


class UsageSummary(TypedDict):
    """``groups`` are the greatest, ``count`` is how many there are; days are UTC."""

    since: str
    until: str
    by: Grouping
    totals: TallyView
    groups: list[UsageGroup]
    count: int


class UsageDay(TallyView):
    day: str


class UsageSeries(TypedDict):
    """One point for every day."""

    since: str
    until: str
    points: list[UsageDay]
    count: int


def last_days(days: int, today: str) -> tuple[str, str]:
    """Return the first and the last of ``days`` days that end with ``today``."""
    return (date.fromisoformat(today) - timedelta(days=days - 1)).isoformat(), today


def summary_view(
    repository: UsageRepository | None, where: Range, by: Grouping, limit: int, offset: int = 0
) -> UsageSummary:
    """Return totals of a range and its groups, days by date and others by use, the greatest first.

    Blocks for a disk access. Without a repository there is no store yet, and nothing in it.
    """
    found = {} if repository is None else repository.summary(where, by)
    whole = Tally()
    for tally in found.values():
        whole.add(tally)

    def rank(item: tuple[str, Tally]) -> tuple[Any, ...]:
        name, tally = item
        use = (tally.requests + tally.refused, tally.tokens)
        return (name,) if by == "day" else (*use, name)

    names = repository.key_names() if repository is not None and by == "key" else {}
    ranked = sorted(found.items(), key=rank, reverse=True)
    return {
        "since": where.since,
        "until": where.until,
        "by": by,
        "totals": whole.view(),
        "groups": [
            {"name": name, "key_name": names.get(name), **tally.view()}
            for name, tally in ranked[offset : offset + limit]
        ],
        "count": len(ranked),
    }


def series_view(repository: UsageRepository | None, where: Range) -> UsageSeries:
    """Return one point for every day of the range, those without a request too. Blocks."""
    found: Mapping[str, Tally] = {} if repository is None else repository.summary(where, "day")
    first, last = date.fromisoformat(where.since), date.fromisoformat(where.until)
    days = [(first + timedelta(days=n)).isoformat() for n in range((last - first).days + 1)]
    points: list[UsageDay] = [{"day": day, **found.get(day, Tally()).view()} for day in days]
    return {"since": where.since, "until": where.until, "points": points, "count": len(points)}


def csv_text(rows: Sequence[Sequence[object]]) -> str:
    """Return rows as CSV that no spreadsheet takes for formulas."""
    text = io.StringIO()
    csv.writer(text).writerows([_cell(value) for value in row] for row in rows)
    return text.getvalue()


def _cell(value: object) -> object:
    """Return a cell that no spreadsheet takes for a formula: names and codes are strangers'
    words."""
    risky = isinstance(value, str) and value.lstrip(" ").startswith(_FORMULA)
    return f"'{value}" if risky else value


def csv_row(line: Line, tally: Tally) -> list[object]:
    sums = tally.view()
    view = {**sums, **line._asdict(), "key": line.key_id}
    view["errors"] = " ".join(f"{code}:{count}" for code, count in sums["errors"].items())
    return [view[name] for name in CSV_COLUMNS]
