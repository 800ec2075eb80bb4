"""The upstream of a trial whose engine is served by :mod:`venom_core.sdk.engine_server`."""

from __future__ import annotations

import asyncio
import json
import urllib.request
from collections.abc import Mapping
from typing import Any

from venom_core.sdk.pooled_engine import PooledEngineProvider
from venom_core.sdk.provider import Provider
from venom_core.testing.conformance.subject import Upstream

_CITY = {
    "type": "object",
    "properties": {"city": {"enum": ["Warsaw"]}},
    "required": ["city"],
    "additionalProperties": False,
}
_WEATHER = {"name": "get_weather", "parameters": _CITY}
#: Fields with which a model that knows nothing calls a tool: all that it may write is one call.
MUST_CALL: Mapping[str, Any] = {
    "tools": [{"type": "function", "function": _WEATHER}],
    "tool_choice": "required",
}


class ServedUpstream(Upstream):
    """Tells by the engine's own figures whether it works.

    Args:
        model: its reference.
    """

    def __init__(self, model: str) -> None:
        self._model = model

    async def serving(self, provider: Provider) -> int:
        """Return how many answers the engine generates; 0 where it is not in memory."""
        assert isinstance(provider, PooledEngineProvider)
        if not any(model.ref == self._model for model in await provider.ps()):
            return 0
        async with provider.lease(self._model) as endpoint:
            request = urllib.request.Request(
                f"{endpoint.base_url}/health", headers=dict(endpoint.headers)
            )
            return await asyncio.to_thread(_running, request)

    async def hold(self) -> None:
        """Do nothing: the long answer has no end."""


def _running(request: urllib.request.Request) -> int:
    with urllib.request.urlopen(request, timeout=10) as answer:
        return int(json.load(answer)["running"])
