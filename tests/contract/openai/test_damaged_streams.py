"""Streams that break at any byte, or have some bytes wrong, end by the law.

Two hundred from a seed; ``python bench/run.py damaged`` does the same with 20,000 and watches the
memory.
"""

from __future__ import annotations

import random

from tests.contract.openai.asking import Asker, ask, client, engine
from tests.stage import stage
from venom_core.testing.damage import TEXT, broken_off, flipped
from venom_core.testing.wire_law import lawful

__all__ = ["ask", "client", "engine", "stage"]  # used by being here


async def test_a_fault_at_any_byte_ends_by_the_law(ask: Asker) -> None:
    chance = random.Random(1)
    for _ in range(100):
        response = await ask.reply(broken_off(chance))
        if response.status_code != 200:
            assert response.json()["error"]["code"] in ("upstream_error", "upstream_incomplete")
            continue
        answer = lawful(response.content)
        assert TEXT.startswith(answer.text)
        assert answer.error is not None or answer.text == TEXT


async def test_flipped_bytes_end_by_the_law(ask: Asker) -> None:
    chance = random.Random(2)
    for _ in range(100):
        response = await ask.reply(flipped(chance))
        if response.status_code == 200:
            lawful(response.content)
        else:
            assert response.json()["error"]["code"]
