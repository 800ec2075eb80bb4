"""An engine behind ``venom_core.sdk.engine_server`` as the upstream of a trial."""

from __future__ import annotations

import json

from venom_core.sdk import http
from venom_core.sdk.openai_engine import OpenAIEngineProvider, read_bounded
from venom_core.sdk.provider import Provider
from venom_core.testing.conformance.subject import NotApplicable, Upstream

_MOST_BYTES = 64 * 1024


class ServedUpstream(Upstream):
    """Reads from the engine's own figures what it works on.

    Args:
        model: the reference under which the provider serves it. Give a chat that takes longer than
            a few seconds: whether the engine lets go of it is looked at meanwhile.
    """

    def __init__(self, model: str) -> None:
        self._model = model

    async def serving(self, provider: Provider) -> int:
        if not isinstance(provider, OpenAIEngineProvider):
            raise NotApplicable("This provider tells nobody where its engine is.")
        async with (
            provider.lease(self._model) as place,
            http.open_stream(
                provider.client(place.base_url), "GET", "/health", headers=place.headers
            ) as response,
        ):
            figures = json.loads(await read_bounded(response, _MOST_BYTES))
        return int(figures["running"])

    async def hold(self) -> None:
        """Do nothing: the trial's chat is a long one."""
