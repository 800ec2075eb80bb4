"""Twelve questions of fact, and what Gemma 3 270M (base) answers them by the template of
``gemma3-270m-base``, ``stop`` a line's end and ``temperature`` 0.
"""

from __future__ import annotations

#: Question -> the answer that is right.
KNOWN = {
    "What is the capital of Poland?": "Warsaw",
    "What is the capital of Germany?": "Berlin",
    "What is the capital of Italy?": "Rome",
    "What is the capital of Spain?": "Madrid",
    "What is the capital of Japan?": "Tokyo",
    "What is 2 + 2?": "4",
    "What is the colour of the sky?": "Blue",
    "What is the opposite of hot?": "cold",
    "What is the chemical symbol for gold?": "Au",
    "Who wrote Hamlet?": "Shakespeare",
    "What is the largest planet in the solar system?": "Jupiter",
    "Say hello.": "Hello!",
}
#: Question -> an answer to which these weights give nearly the same chance as to the right one.
#: Computed exactly (transformers, 32 bits) they prefer it, by 0.1 in the logarithm, which is less
#: than what 8-bit numbers on the way move: which of the two comes is the engine's rounding.
NEARLY_EVEN = {"What is 2 + 2?": "2"}


def is_right(question: str, answer: str) -> bool:
    """Return whether an answer is the known one, white space around it and capitals aside."""
    return answer.strip().casefold() == KNOWN[question].casefold()
