"""Turns are first come, first served; and characters of tokens that a list decoder knows."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from venom_core.sdk.engine_turns import Turns
from venom_core.sdk.text_pieces import MOST_PENDING, Characters
from venom_core.testing.deadlines import eventually, patience


def test_who_held_the_turn_last_goes_behind_who_waits() -> None:
    turns, order = Turns(4, 4), list[int]()

    def take(number: int) -> None:
        with turns.turn():
            order.append(number)

    threads = []
    with turns.turn():
        for number in range(3):
            thread = threading.Thread(target=take, args=(number,))
            thread.start()
            threads.append(thread)
            expected = number + 2
            assert eventually(lambda: turns.tickets == expected)  # noqa: B023
        assert order == [], "one at a time"
    take(3)
    for thread in threads:
        thread.join(patience(10))
    assert order == [0, 1, 2, 3]


def test_characters_of_a_decoder_that_knows_lists_only() -> None:
    """A blank that the first token of a list loses, and characters of several tokens."""
    words = {1: b" the", 2: b" sky", 3: "🐢".encode()[:2], 4: "🐢".encode()[2:], 5: b"\xff"}

    def decode(tokens: Sequence[int]) -> str:
        text = b"".join(words[token] for token in tokens).decode("utf-8", "replace")
        return text.removeprefix(" ")

    characters = Characters(decode)
    assert [characters.add(token) for token in (1, 2, 3, 4, 1)] == ["the", " sky", "", "🐢", " the"]
    broken = [characters.add(5) for _ in range(MOST_PENDING)]
    assert broken[:-1] == [""] * (MOST_PENDING - 1) and broken[-1] == "\ufffd" * MOST_PENDING
    assert characters.add(1) == " the"
