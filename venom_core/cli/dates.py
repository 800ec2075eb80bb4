"""Moments as people say them, in the time zone of whoever reads them."""

from __future__ import annotations

from datetime import UTC, datetime

from venom_core.cli.wording import speaks_polish

MINUTE, HOUR, DAY = 60, 3600, 86_400
#: Seconds after which an evening's last hours are "yesterday" and no longer "5 hours ago".
NIGHT = 6 * HOUR
_POLISH_MONTHS = [
    "sty",
    "lut",
    "mar",
    "kwi",
    "maj",
    "cze",
    "lip",
    "sie",
    "wrz",
    "paź",
    "lis",
    "gru",
]
_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
_POLISH_UNITS = {
    "minute": ("minutę", "minuty", "minut"),
    "hour": ("godzinę", "godziny", "godzin"),
    "day": ("dzień", "dni", "dni"),
}


def spoken(moment: str | None, now: datetime | None = None) -> str | None:
    """Return a moment as ``2 hours ago``, ``yesterday`` or ``in 5 minutes``; far ones as a date.

    Args:
        moment: ISO 8601, without a zone in UTC. What is none is returned as it is.
    """
    if not moment:
        return None
    try:
        when = datetime.fromisoformat(moment)
        when = (when if when.tzinfo else when.replace(tzinfo=UTC)).astimezone()
    except (OverflowError, ValueError):
        return moment
    today = (now or datetime.now(UTC)).astimezone()
    polish = speaks_polish()
    seconds = (today - when).total_seconds()
    days = (today.date() - when.date()).days
    if abs(seconds) < MINUTE:
        return "przed chwilą" if polish else "just now"
    if abs(seconds) < NIGHT or not days:
        return _distance(seconds, polish)
    if abs(days) == 1:
        words = ("wczoraj", "jutro") if polish else ("yesterday", "tomorrow")
        return words[days < 0]
    if abs(days) < 7:
        return _said(abs(days), "day", days > 0, polish)
    months = _POLISH_MONTHS if polish else _MONTHS
    return f"{when.day} {months[when.month - 1]} {when.year}"


def _distance(seconds: float, polish: bool) -> str:
    unit, length = ("minute", MINUTE) if abs(seconds) < HOUR else ("hour", HOUR)
    return _said(int(abs(seconds) // length), unit, seconds > 0, polish)


def _said(count: int, unit: str, past: bool, polish: bool) -> str:
    if polish:
        one, few, many = _POLISH_UNITS[unit]
        some = few if count % 10 in (2, 3, 4) and count % 100 not in (12, 13, 14) else many
        amount = one if count == 1 else f"{count} {some}"
        return f"{amount} temu" if past else f"za {amount}"
    amount = f"{count} {unit}{'' if count == 1 else 's'}"
    return f"{amount} ago" if past else f"in {amount}"
