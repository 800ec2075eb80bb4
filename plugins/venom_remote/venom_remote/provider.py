"""Several OpenAI-compatible servers as one provider: least busy first, a dead one left out."""

from __future__ import annotations

import asyncio
import contextlib
import re
import time
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from typing import cast

from venom_core.sdk.errors import (
    ModelLoading,
    ModelNotFound,
    Unavailable,
    UpstreamError,
    UpstreamTimeout,
    VenomError,
)
from venom_core.sdk.openai_engine import Endpoint, OpenAIEngineProvider, fetch_models
from venom_core.sdk.parameter_bounds import bounds_of_name
from venom_core.sdk.provider import Model, ProviderContext
from venom_core.sdk.states import Health, ProviderStatus, Reason

#: One silent node must not hide the others' models: the registry waits three seconds for them all.
LIST_TIMEOUT = 1.5
NO_URLS = Reason(
    "no_servers",
    "No remote server is configured.",
    "Set one: VENOM_REMOTE__URLS=http://host:8000",
)


def _base(url: str) -> str:
    """Return what stands before ``/v1``, also where somebody pasted the address of a route."""
    return re.sub(r"/v1(/(models|(chat/)?completions|embeddings))?$", "", url.rstrip("/"))


@dataclass(slots=True)
class Node:
    """One server. ``dead_until`` is on the monotonic clock."""

    url: str
    busy: int = 0
    dead_until: float = 0.0
    models: set[str] = field(default_factory=set)


class RemoteProvider(OpenAIEngineProvider):
    """Merges the models of its nodes; a request goes to the least busy one with its model."""

    def __init__(self, context: ProviderContext) -> None:
        super().__init__(context)
        settings = context.settings
        urls = cast("tuple[str, ...]", settings["urls"] or ())
        self._nodes = [Node(_base(url)) for url in urls]
        key = settings["api_key"]
        self._headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._retry_after = cast(float, settings["retry_after"])

    @property
    def endpoint(self) -> str | None:
        return self._nodes[0].url if self._nodes else None

    async def health(self) -> Health:
        if not self._nodes:
            return Health(ProviderStatus.UNAVAILABLE, NO_URLS)
        await self.models_or_none()
        dead = [node for node in self._nodes if node.dead_until > time.monotonic()]
        if not dead:
            return Health(ProviderStatus.READY)
        reason = Reason(
            "servers_down",
            f"{len(dead)} of {len(self._nodes)} remote servers do not answer.",
            f"Left out for now; they are tried again every {self._retry_after:g} s.",
        )
        every = len(dead) == len(self._nodes)
        return Health(ProviderStatus.UNAVAILABLE if every else ProviderStatus.DEGRADED, reason)

    async def models(self) -> Sequence[Model]:
        if not self._nodes:
            return []
        found = await self.models_or_none()
        if found is None:
            raise Unavailable("No remote server answers.", code="servers_down", fix="venom doctor")
        return found

    async def models_or_none(self) -> Sequence[Model] | None:
        """Return the merged models of the living nodes; None where none lives."""
        now = time.monotonic()
        alive = [node for node in self._nodes if node.dead_until <= now]
        await asyncio.gather(*(self._ask(node) for node in alive))
        if not any(node.dead_until <= now for node in self._nodes):
            return None
        names = {name for node in self._nodes if node.dead_until <= now for name in node.models}
        return [
            Model(name, "remote", parameter_bounds=bounds_of_name(name)) for name in sorted(names)
        ]

    async def _ask(self, node: Node) -> None:
        try:
            async with asyncio.timeout(LIST_TIMEOUT):
                node.models = set(await fetch_models(self.client(node.url), self._headers))
        except TimeoutError:
            self._bury(node, UpstreamTimeout("It accepts and does not answer."))
        except VenomError as error:
            self._bury(node, error)

    def _bury(self, node: Node, error: VenomError) -> None:
        self.context.logger.warning("%s is left out: %s", node.url, error.message)
        node.dead_until = time.monotonic() + self._retry_after

    @contextlib.asynccontextmanager
    async def lease(self, ref: str) -> AsyncGenerator[Endpoint, None]:
        now = time.monotonic()
        nodes = [node for node in self._nodes if ref in node.models and node.dead_until <= now]
        if not nodes and not any(ref in node.models for node in self._nodes):
            raise ModelNotFound(f"No remote server has {ref!r}.", param="model", fix="venom list")
        if not nodes:
            raise Unavailable(
                f"Every server that has {ref!r} is down.",
                code="servers_down",
                retry_after=self._retry_after,
                fix="venom doctor",
            )
        node = min(nodes, key=lambda node: node.busy)
        node.busy += 1
        try:
            yield Endpoint(node.url, ref, self._headers)
        except ModelLoading:
            raise  # it lives
        except (Unavailable, UpstreamError) as error:
            self._bury(node, error)
            raise
        finally:
            node.busy -= 1
