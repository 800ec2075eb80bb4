"""The bounds of the chat path."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self, cast

from venom_core.chat.parameters import Policy
from venom_core.settings.core import CoreSettings


@dataclass(frozen=True, slots=True)
class Limits:
    """From the settings of the same names. Times are in seconds.

    ``answer_timeout`` is what a provider is told of the silence before its first frame, which may
    hold the loading of a model and, without streaming, the whole generation. The guard around the
    provider keeps to it.
    """

    policy: Policy
    max_concurrent: int
    queue_size: int
    queue_timeout: float
    answer_timeout: float

    @classmethod
    def from_settings(cls, core: CoreSettings) -> Self:
        return cls(
            cast(Policy, core.parameter_policy), core.max_concurrent, core.queue_size,
            core.queue_timeout, core.answer_timeout,
        )  # fmt: skip

    def following(self, core: CoreSettings) -> Self:
        """Return these with what applies live. The others are kept by queues and guards too, from
        the start on."""
        return replace(self, policy=cast(Policy, core.parameter_policy))
