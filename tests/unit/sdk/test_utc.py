"""Times as Venom writes them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from venom_core.sdk.utc import utc_text

WARSAW = timezone(timedelta(hours=2))


@pytest.mark.parametrize(
    ("moment", "how", "text"),
    [
        (datetime(2026, 5, 1, 12, 0, 0, 7999, UTC), {}, "2026-05-01T12:00:00.007Z"),
        (
            datetime(2026, 5, 1, 12, 0, 0, 7999),  # noqa: DTZ001 -- some sources name no zone
            {},
            "2026-05-01T12:00:00.007Z",
        ),
        (datetime(2026, 5, 1, 1, 30, tzinfo=WARSAW), {}, "2026-04-30T23:30:00.000Z"),
        (datetime(2026, 5, 1, 12, tzinfo=UTC), {"precision": "seconds"}, "2026-05-01T12:00:00Z"),
        (
            datetime(2026, 5, 1, 12, tzinfo=UTC),
            {"precision": "seconds", "suffix": "+00:00"},
            "2026-05-01T12:00:00+00:00",
        ),
    ],
)
def test_a_moment_as_text(moment: datetime, how: dict[str, Any], text: str) -> None:
    assert utc_text(moment, **how) == text


def test_without_a_moment_it_is_now() -> None:
    before = datetime.now(UTC) - timedelta(seconds=1)
    assert before < datetime.fromisoformat(utc_text()) <= datetime.now(UTC)
