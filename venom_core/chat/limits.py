"""The bounds of the chat path."""

from __future__ import annotations

from dataclasses import dataclass

from venom_core.chat.parameters import Policy


@dataclass(frozen=True, slots=True)
class Limits:
    """From the settings of the same names. Times are in seconds.

    ``answer_timeout`` bounds the silence before the first frame, which may hold the loading of a
    model and, without streaming, the whole generation; ``stall_timeout`` the silence after it.
    """

    policy: Policy
    max_concurrent: int
    queue_size: int
    queue_timeout: float
    answer_timeout: float
    stall_timeout: float
