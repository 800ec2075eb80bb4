"""Several OpenAI-compatible servers as one provider: least busy first, a dead one left out."""

from __future__ import annotations

import asyncio
import contextlib
import re
import time
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from typing import cast
from urllib.parse import urlsplit

from venom_core.sdk.errors import (
    EngineUnreachable,
    ModelNotFound,
    NotHttp,
    Unavailable,
    UnsupportedParameter,
    UpstreamGone,
    UpstreamTimeout,
    VenomError,
)
from venom_core.sdk.frames import Frame
from venom_core.sdk.http import is_loopback, prepare
from venom_core.sdk.messages import ChatRequest
from venom_core.sdk.openai_engine import Endpoint, OpenAIEngineProvider, fetch_models
from venom_core.sdk.parameter_bounds import bounds_of_name
from venom_core.sdk.provider import Model, ProviderContext
from venom_core.sdk.spec import NO_TOKEN_CHANGED, STRUCTURAL_PARAMETERS
from venom_core.sdk.states import Health, ProviderStatus, Reason

#: One silent node must not hide the others' models: the registry waits three seconds for them all.
LIST_TIMEOUT = 1.5
#: What says that a server is away. Everything else is an answer, and says something of a request.
AWAY = (EngineUnreachable, NotHttp, UpstreamGone, UpstreamTimeout)
START_THEM = "Start them, or correct VENOM_REMOTE__URLS; what each one said is in: venom logs"
NO_URLS = Reason(
    "no_servers",
    "No remote server is configured.",
    "Set one: VENOM_REMOTE__URLS=http://host:8000",
)


def no_server_answers() -> Unavailable:
    return Unavailable("No remote server answers.", code="servers_down", fix=START_THEM)


def _base(url: str) -> str:
    """Return what stands before ``/v1``, also where somebody pasted the address of a route."""
    return re.sub(r"/v1(/(models|(chat/)?completions|embeddings))?$", "", url.rstrip("/"))


@dataclass(slots=True)
class Node:
    """One server. ``dead_until`` is on the monotonic clock; ``refusal`` is what it said when it was
    last asked for its models, and did not list them."""

    url: str
    busy: int = 0
    dead_until: float = 0.0
    models: set[str] = field(default_factory=set)
    refusal: VenomError | None = None


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

    def chat(self, request: ChatRequest) -> AsyncGenerator[Frame, None]:
        self._check_fields(request)
        return super().chat(request)

    def complete(self, request: ChatRequest) -> AsyncGenerator[Frame, None]:
        self._check_fields(request)
        return super().complete(request)

    def _check_fields(self, request: ChatRequest) -> None:
        """Raise ``UnsupportedParameter`` for a field that nobody here knows, where the setting says
        so."""
        known = self.context.spec.parameters | STRUCTURAL_PARAMETERS | NO_TOKEN_CHANGED
        unknown = sorted(request.body.keys() - known - {"max_completion_tokens"})
        if unknown and self.context.settings["unknown_fields"] == "refuse":
            raise UnsupportedParameter(
                f"Nothing is known here of the parameter {unknown[0]!r}.",
                param=unknown[0],
                fix="Leave it out, or set VENOM_REMOTE__UNKNOWN_FIELDS=pass.",
            )

    @property
    def endpoint(self) -> str | None:
        return self._nodes[0].url if self._nodes else None

    async def health(self) -> Health:
        if not self._nodes:
            return Health(ProviderStatus.UNAVAILABLE, NO_URLS)
        await self._ask_all()
        dead = [node for node in self._nodes if node.dead_until > time.monotonic()]
        refusing = [node for node in self._nodes if node.refusal is not None and node not in dead]
        if not dead and not refusing:
            return Health(ProviderStatus.READY)
        useless = [node for node in self._nodes if node in dead or not node.models]
        every = len(useless) == len(self._nodes)
        status = ProviderStatus.UNAVAILABLE if every else ProviderStatus.DEGRADED
        if not dead and refusing[0].refusal is not None:
            return Health(status, Reason.of(refusing[0].refusal))
        reason = Reason(
            "servers_down",
            f"{len(dead)} of {len(self._nodes)} remote servers do not answer.",
            f"Left out for now; they are tried again every {self._retry_after:g} s.",
        )
        return Health(status, reason)

    async def models(self) -> Sequence[Model]:
        """Return the merged models of the living nodes."""
        if not self._nodes:
            return []
        await self._ask_all()
        alive = [node for node in self._nodes if node.dead_until <= time.monotonic()]
        if not alive:
            raise no_server_answers()
        names = {name for node in alive for name in node.models}
        refusals = [node.refusal for node in alive if node.refusal is not None]
        if not names and refusals:
            raise refusals[0].again()
        return [
            Model(
                name,
                "remote",
                parameter_bounds=bounds_of_name(name),
                runs_at=self._runs_at(name),
            )
            for name in sorted(names)
        ]

    def _runs_at(self, name: str) -> str | None:
        """Return the hosts that may get a prompt for a model; None where all are this machine."""
        urls = [node.url for node in self._nodes if name in node.models]
        away = [urlsplit(url).netloc.rpartition("@")[2] for url in urls if not is_loopback(url)]
        return ", ".join(dict.fromkeys(away)) or None

    async def _ask_all(self) -> None:
        """Ask the nodes for their models; dead ones before their time only where all are."""
        await prepare()
        now = time.monotonic()
        alive = [node for node in self._nodes if node.dead_until <= now]
        await asyncio.gather(*(self._ask(node) for node in alive or self._nodes))

    async def _ask(self, node: Node) -> None:
        try:
            async with asyncio.timeout(LIST_TIMEOUT):
                node.models = set(await fetch_models(self.client(node.url), self._headers))
            node.dead_until, node.refusal = 0.0, None
        except TimeoutError:
            self._bury(node, UpstreamTimeout("It accepts and does not answer."))
        except AWAY as error:
            self._bury(node, error)
        except VenomError as error:  # it lives; what it listed before is there still
            if node.refusal is None:
                self.context.logger.warning("%s lists nothing: %s", node.url, error.message)
            node.dead_until, node.refusal = 0.0, error

    def _bury(self, node: Node, error: VenomError) -> None:
        self.context.logger.warning("%s is left out: %s", node.url, error.message)
        node.dead_until = time.monotonic() + self._retry_after

    @contextlib.asynccontextmanager
    async def lease(self, ref: str) -> AsyncGenerator[Endpoint, None]:
        having = [node for node in self._nodes if ref in node.models]
        now = time.monotonic()
        if not having and self._nodes and all(node.dead_until > now for node in self._nodes):
            raise no_server_answers()  # which of them has it, nobody knows
        if not having:
            raise ModelNotFound(f"No remote server has {ref!r}.", param="model", fix="venom list")
        alive = [node for node in having if node.dead_until <= now]
        # Where there is nowhere else to go, a dead one may have come back.
        node = (
            min(alive, key=lambda node: node.busy)
            if alive
            else min(having, key=lambda node: node.dead_until)
        )
        node.busy += 1
        try:
            yield Endpoint(node.url, ref, self._headers)
            node.dead_until = 0.0
        except AWAY as error:
            self._bury(node, error)
            raise
        finally:
            node.busy -= 1
