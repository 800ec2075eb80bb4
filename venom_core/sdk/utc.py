"""Times as Venom writes them: ISO 8601 in UTC."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal

#: How finely a time is written.
Precision = Literal["seconds", "milliseconds"]


def utc_text(
    moment: datetime | None = None, precision: Precision = "milliseconds", *, suffix: str = "Z"
) -> str:
    """Write a moment, by default this one, as ``2026-11-05T10:00:00.000Z``.

    A moment without a time zone counts as UTC. ``suffix`` is ``+00:00`` where a wire says so.
    """
    when = datetime.now(UTC) if moment is None else moment
    aware = when if when.tzinfo else when.replace(tzinfo=UTC)
    return aware.astimezone(UTC).isoformat(timespec=precision).removesuffix("+00:00") + suffix
