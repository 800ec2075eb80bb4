"""One lawful stream of an engine, damaged at random: broken off at any byte, or with some wrong."""

from __future__ import annotations

import random

from venom_core.testing.engine import Fault, Reply, chunk, sse

_WORDS = [f" word{number} ż" for number in range(6)]
_USAGE = {"prompt_tokens": 3, "completion_tokens": 6, "total_tokens": 9}
_THOUGHT = {"index": 0, "delta": {"reasoning_content": "hm"}, "finish_reason": None}
#: Its text, and the bytes that say it.
TEXT = "".join(_WORDS)
STREAM = b"".join(
    sse(
        *map(chunk, _WORDS),
        {"id": "e", "model": "m", "choices": [_THOUGHT]},
        chunk(finish="stop"),
        {"id": "e", "model": "m", "choices": [], "usage": _USAGE},
        "[DONE]",
    )
)
_FAULTS: tuple[Fault | None, ...] = ("eof", "reset", None)


def broken_off(chance: random.Random) -> Reply:
    """Return the stream up to any byte, where the connection ends, breaks, or the body ends."""
    return Reply(
        _cut(STREAM[: chance.randint(0, len(STREAM))], chance), fault=chance.choice(_FAULTS)
    )


def flipped(chance: random.Random) -> Reply:
    """Return the stream with one to five bytes that are others."""
    damaged = bytearray(STREAM)
    for _ in range(chance.randint(1, 5)):
        damaged[chance.randrange(len(damaged))] ^= chance.randint(1, 255)
    return Reply(_cut(bytes(damaged), chance))


def _cut(stream: bytes, chance: random.Random) -> list[bytes]:
    """Return the bytes in some chunks, cut anywhere."""
    most = min(chance.randint(0, 6), max(len(stream) - 1, 0))
    places = sorted(chance.sample(range(1, len(stream)), k=most)) if most else []
    cuts = zip([0, *places], [*places, len(stream)], strict=True)
    return [stream[a:b] for a, b in cuts if a < b]
