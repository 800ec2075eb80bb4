"""A request as its provider is asked it, and as it is asked once more without what is refused."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, replace

from venom_core.chat.parameters import Policy, without_refused
from venom_core.sdk.errors import InvalidRequest, UnsupportedParameter
from venom_core.sdk.frames import Frame
from venom_core.sdk.joined_answers import Ask
from venom_core.sdk.messages import ChatRequest, Sent

logger = logging.getLogger(__name__)

#: Fields that one request is asked again without: more than any engine knows.
MOST_LEFT_OUT = 32


@dataclass(frozen=True, slots=True)
class Asked:
    """A request to a provider, and what became of its parameters.

    Args:
        ask: asks the provider.
        origins: where each parameter came from.
        left_out: the names of those that were ignored under the policy ``warn``.
        retries: how often it was asked before.
    """

    ask: Ask
    request: ChatRequest
    origins: Mapping[str, str]
    left_out: tuple[str, ...]
    policy: Policy
    retries: int = 0

    def frames(self) -> AsyncGenerator[Frame, None]:
        """Return the provider's frames; nothing is asked before the first is wanted."""
        return self.ask(self.request)

    def without(self, refusal: InvalidRequest) -> Asked | None:
        """Return the request without the field that a provider refused; None where the refusal
        stands: under ``strict``, for what may not be left out, and for what is not in the request
        (any more).

        An engine's refusal comes over HTTP, so its code counts and not its class.
        """
        is_named = refusal.code == UnsupportedParameter.default_code
        if self.policy != "warn" or not is_named or self.retries >= MOST_LEFT_OUT:
            return None
        found = without_refused(self.request.body, refusal.param)
        if found is None:
            return None
        body, names = found
        shown = ", ".join(map(repr, names))
        logger.info("%s: the provider is asked again without %s", self.request.request_id, shown)
        gone = self.request.body.keys() - body.keys()
        return replace(
            self,
            # What the provider noted of its first try is no word about the second.
            request=replace(self.request, body=body, sent=Sent()),
            origins={name: origin for name, origin in self.origins.items() if name not in gone},
            left_out=tuple(dict.fromkeys((*self.left_out, *names))),
            retries=self.retries + 1,
        )
