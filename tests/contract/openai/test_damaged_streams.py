"""Streams that break at any byte, or have some bytes wrong, end by the law."""

from __future__ import annotations

import random

from tests.contract.openai.asking import (
    COUNTS,
    DONE,
    END,
    Asker,
    ask,
    choice,
    client,
    data,
    engine,
)
from tests.stage import stage
from venom_core.testing.engine import chunk
from venom_core.testing.wire_law import lawful

__all__ = ["ask", "client", "engine", "stage"]  # used by being here

FAULTS = ["eof", "reset", None]
LAWFUL = b"".join(
    [data(choice(delta={"role": "assistant", "content": ""})), *(data(chunk(f" word{n} ż"))
     for n in range(6)), data(choice(delta={"reasoning_content": "hm"})), END, COUNTS, DONE]
)  # fmt: skip
WHOLE = "".join(f" word{n} ż" for n in range(6))


def cut(stream: bytes, chance: random.Random) -> list[bytes]:
    """The bytes in some chunks, cut anywhere."""
    places = sorted(
        chance.sample(range(1, len(stream)), k=min(chance.randint(0, 6), len(stream) - 1))
    )
    return [stream[a:b] for a, b in zip([0, *places], [*places, len(stream)], strict=True)]


async def test_a_fault_at_any_byte_ends_by_the_law(ask: Asker) -> None:
    chance = random.Random(1)
    for _ in range(300):
        at = chance.randint(0, len(LAWFUL))
        fault = chance.choice(FAULTS)
        chunks = cut(LAWFUL[:at], chance) if at > 1 else [LAWFUL[:at]] if at else []
        response = await ask.post(*chunks, fault=fault)
        if response.status_code != 200:
            assert response.json()["error"]["code"] in ("upstream_error", "upstream_incomplete")
            continue
        answer = lawful(response.content)
        assert WHOLE.startswith(answer.text)
        assert answer.error is not None or answer.text == WHOLE


async def test_flipped_bytes_end_by_the_law(ask: Asker) -> None:
    chance = random.Random(2)
    for _ in range(300):
        damaged = bytearray(LAWFUL)
        for _ in range(chance.randint(1, 5)):
            damaged[chance.randrange(len(damaged))] ^= chance.randint(1, 255)
        response = await ask.post(*cut(bytes(damaged), chance))
        if response.status_code == 200:
            lawful(response.content)
        else:
            assert response.json()["error"]["code"]
