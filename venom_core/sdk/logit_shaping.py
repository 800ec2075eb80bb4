"""Changes that a request wants to the logits of each token of its answer.

Written for whatever behaves as a vector: numpy's arrays and torch's tensors do.
"""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

from venom_core.sdk.errors import InvalidRequest
from venom_core.sdk.served_engine import Sampling


class LogitShaping:
    """Penalties, biases and ``min_p`` of one request, for a runtime whose own search has none."""

    def __init__(self, sampling: Sampling) -> None:
        self._sampling = sampling
        self._counts: Counter[int] = Counter()
        self.changes = bool(
            sampling.logit_bias or sampling.min_p or sampling.presence_penalty
            or sampling.frequency_penalty
        )  # fmt: skip
        self.looks = self.changes or sampling.logprobs is not None

    def made(self, token: int) -> None:
        """Count a token of the answer."""
        self._counts[token] += 1

    def change(self, logits: Any) -> None:
        """Change the logits of the next token in place: penalties for what the answer has, the
        request's biases, and what is too unlikely beside the likeliest."""
        sampling = self._sampling
        for token, count in self._counts.items():
            logits[token] -= (sampling.presence_penalty or 0.0) + count * (
                sampling.frequency_penalty or 0.0
            )
        for token, bias in (sampling.logit_bias or {}).items():
            if token >= len(logits):
                raise InvalidRequest(
                    f"The model has no token {token}.", param="logit_bias", fix="Leave it out."
                )
            logits[token] += bias
        if sampling.min_p:
            logits[logits < logits.max() + math.log(sampling.min_p)] = -math.inf
