"""Numbers of strangers: a provider's, an upstream's, a file's, an archive's.

Each is checked where it enters. One that cannot be (no number, a truth value or a text in the place
of one, out of range, infinite, NaN) counts as not given, and that is said once.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping, Sequence
from typing import Any

from venom_core.sdk.architecture import MAX_BYTES, MAX_CONTEXT, BadNumber

logger = logging.getLogger(__name__)

MOST_SECONDS = 1e9
#: What every reader of JSON can hold exactly.
MOST_EXACT = (1 << 53) - 1
#: The largest number of 32 bits, as vectors are sent in Base64.
LARGEST_FLOAT32 = 3.4028234e38
LONGEST_VECTOR = 65_536
_DEEPEST = 16
_MOST_SAID = 1000
_said: set[str] = set()


def whole(value: object, name: str, most: int = MOST_EXACT, least: int = 0) -> int | None:
    """Return a whole number in its range; None for what is not given or cannot be.

    Args:
        name: says whose number it is, for the log.
    """
    if type(value) is int and least <= value <= most:
        return value
    if value is not None:
        say(name, value)
    return None


def real(value: object, name: str, least: float, most: float) -> float | None:
    """Return a finite number in its range; None for what is not given or cannot be."""
    if type(value) in (int, float) and least <= value <= most:  # type: ignore[operator]
        return value  # type: ignore[return-value]
    if value is not None:
        say(name, value)
    return None


def tokens(value: object, name: str) -> int | None:
    """Return a count of tokens; None for what is not given or cannot be."""
    return whole(value, name, MAX_CONTEXT)


def size(value: object, name: str) -> int | None:
    """Return a count of bytes; None for what is not given or cannot be."""
    return whole(value, name, MAX_BYTES)


def digits(text: object, name: str, most: int = MAX_BYTES) -> int | None:
    """Return the whole number in a text of digits, such as a header's; None for any other text."""
    if text is None:
        return None
    if not isinstance(text, str) or not (text.isascii() and text.isdigit()) or len(text) > 20:
        say(name, text)
        return None
    return whole(int(text), name, most)


def seconds(text: str | None, name: str, most: float = 3600.0) -> float | None:
    """Return the seconds in a header such as ``Retry-After``, at most ``most``; None for a date or
    what is no number."""
    if text is None or len(text) > 16 or not text.isascii():
        return None
    try:
        value = float(text)
    except ValueError:
        return None
    if not 0 <= value < math.inf:
        say(name, value)
        return None
    return min(value, most)


def vector(values: object, name: str) -> tuple[float, ...] | None:
    """Return a vector of finite numbers of 32 bits; None where it is none."""
    if not isinstance(values, list | tuple) or not 0 < len(values) <= LONGEST_VECTOR:
        say(name, values)
        return None
    # Three passes in C: an embedding answer holds millions of numbers.
    if not set(map(type, values)) <= {float, int}:
        say(name, next(v for v in values if type(v) not in (int, float)))
        return None
    if not (
        min(values) >= -LARGEST_FLOAT32 and max(values) <= LARGEST_FLOAT32
    ) or not math.isfinite(sum(values)):
        say(name, math.nan)
        return None
    return tuple(map(float, values))


def plain(value: Any, name: str, depth: int = 0, *, keys: bool = True) -> Any:
    """Return JSON values without the numbers that JSON or its readers cannot hold: in an object
    they are left out, elsewhere null.

    Args:
        keys: name the keys of objects in the log; not those that a client or a store made up.
    """
    if value is None or isinstance(value, str | bool):
        return value
    if isinstance(value, int):
        return whole(value, name, MOST_EXACT, -MOST_EXACT)
    if isinstance(value, float):
        return real(value, name, -1e308, 1e308)
    if depth < _DEEPEST and isinstance(value, Mapping):
        kept = {
            key: plain(item, f"{name}.{key}" if keys else name, depth + 1, keys=keys)
            for key, item in value.items()
        }
        return {str(k): item for k, item in kept.items() if item is not None or value[k] is None}
    if depth < _DEEPEST and isinstance(value, Sequence) and not isinstance(value, bytes):
        return [plain(item, name, depth + 1, keys=keys) for item in value]
    say(name, value)
    return None


def say(name: str, value: object) -> None:
    """Log, once for each name, that a number counts as not given."""
    if _is_new(name := name[:200]):
        logger.warning("%s cannot be %s: it counts as not given", name, _shown(value))


def say_bad(name: str, error: BadNumber) -> None:
    """Log, once for each name, that nothing is estimated from the numbers of a model."""
    if _is_new(name := f"{name[:200]}.architecture"):
        logger.warning("%s cannot be used: %s; nothing is estimated from it", name, error)


def _is_new(name: str) -> bool:
    """Return whether nothing was said of this name yet, and remember that something is."""
    if name in _said or len(_said) >= _MOST_SAID:
        return False
    _said.add(name)
    return True


def _shown(value: object) -> str:
    """Return what a number is; a text in its place is not shown: it may be anything."""
    if type(value) is int and abs(value) >= 10**20:
        return "a number of more than 20 digits"
    return repr(value) if isinstance(value, int | float) else f"a {type(value).__name__}"
