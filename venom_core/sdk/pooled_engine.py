"""A provider whose models have an engine each: a child process, kept in a pool while it is used."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable, Sequence

from venom_core.sdk import http
from venom_core.sdk.engine import EngineAddress, EngineCommand, reap_orphans
from venom_core.sdk.engine_pool import OVERHEAD_BYTES, EnginePool
from venom_core.sdk.errors import EngineMissing, ModelNotCapable, VenomError
from venom_core.sdk.openai_engine import Endpoint, OpenAIEngineProvider, read_bounded
from venom_core.sdk.provider import (
    MOST_METRICS_BYTES,
    EngineMetrics,
    EngineStatus,
    LoadedModel,
    Model,
    ProviderContext,
)
from venom_core.sdk.states import Health, ProviderStatus, Reason

METRICS_SECONDS = 0.7


class PooledEngineProvider(OpenAIEngineProvider):
    """The life of such a provider. A subclass lists its models, and its ``lease`` names the model
    and starts its engine with :meth:`running`.

    Args:
        max_loaded, keep_alive, overhead: as of :class:`EnginePool`.

    Attributes:
        metrics_path: where its engines tell Prometheus what they do (``/metrics``); None where they
            do not.
        metrics_names: how the names begin that are taken of it: an engine tells of its Python, its
            process and its web server besides.
    """

    metrics_path: str | None = None
    metrics_names: str = ""

    def __init__(
        self,
        context: ProviderContext,
        *,
        max_loaded: int,
        keep_alive: float,
        overhead: int = OVERHEAD_BYTES,
    ) -> None:
        super().__init__(context)
        #: Where the engines have their logs and records.
        self.engines_folder = context.data_dir / "engines"
        self.pool = EnginePool(max_loaded, keep_alive, self.forget, overhead=overhead)

    def look_for_engine(self) -> str | None:
        """Return the version of the installed engine, None where it tells none; blocks.

        Raises ``EngineMissing`` where there is none.
        """
        raise NotImplementedError

    async def open(self) -> None:
        """End what a Venom that was killed left. A missing engine is no reason to refuse: models
        are listed without it."""
        await asyncio.to_thread(reap_orphans, self.engines_folder)

    async def close(self) -> None:
        """Stop every engine."""
        await self.pool.close()
        await super().close()

    async def health(self) -> Health:
        """Return whether the engine is there, and whether one has ended unexpectedly."""
        try:
            version = await asyncio.to_thread(self.look_for_engine)
        except EngineMissing as error:
            return Health(ProviderStatus.UNAVAILABLE, Reason.of(error))
        failed = [status for status in await self.pool.statuses() if status.state == "failed"]
        if failed:
            reason = Reason(
                "engine_crashed",
                f"The engine of {failed[0].model} ended unexpectedly.",
                "It is started again at the next request; its log is in: venom logs --list",
            )
            return Health(ProviderStatus.DEGRADED, reason, version)
        return Health(ProviderStatus.READY, None, version)

    @contextlib.asynccontextmanager
    async def running(
        self,
        ref: str,
        command: Callable[[], EngineCommand],
        context_length: int | None,
        need: int,
        purpose: str = "",
    ) -> AsyncGenerator[Endpoint, None]:
        """Start or take the engine of a model, and give its endpoint; what ``lease`` does.

        Args:
            command: how the engine is started; called where it does not run.
            context_length: tokens that it is started with, None where nobody knows.
            need: bytes that the model takes.
            purpose: which of a model's engines, where it has several.

        Raises ``EngineMissing``, and what :meth:`EnginePool.lease` does.
        """
        if not self.pool.is_loaded(ref, purpose):
            await asyncio.to_thread(self.look_for_engine)
        async with self.pool.lease(ref, command, context_length, need, purpose) as address:
            yield Endpoint(address.base_url, ref, {"Authorization": f"Bearer {address.key}"})

    def require(self, model: Model, capability: str) -> None:
        """Raise ``ModelNotCapable`` where a model has not a capability (``chat``,
        ``completion``, ``embedding``)."""
        if capability not in (model.capabilities or ()):
            raise ModelNotCapable(
                f"{model.ref} has no {capability}.",
                param="model",
                fix="See what each model can do with: venom list",
            )

    async def load(self, ref: str) -> None:
        """Start a model's engine."""
        async with self.lease(ref):
            return

    async def unload(self, ref: str) -> None:
        """Stop a model's engine."""
        await self.pool.unload(ref)

    async def ps(self) -> Sequence[LoadedModel]:
        """Return the models that are in memory."""
        return await self.pool.loaded()

    async def engines(self) -> Sequence[EngineStatus]:
        """Return the engines, those that have ended among them."""
        return await self.pool.statuses()

    async def metrics(self) -> Sequence[EngineMetrics]:
        """Ask every engine that runs, all at once; one that is late or tells none is left out."""
        if self.metrics_path is None:
            return ()
        path, running = self.metrics_path, self.pool.addresses()
        told = await asyncio.gather(*(self._metrics(path, ref, at) for ref, at in running))
        return [one for one in told if one is not None]

    async def _metrics(self, path: str, ref: str, at: EngineAddress) -> EngineMetrics | None:
        await http.prepare()
        import httpx

        headers = {"Authorization": f"Bearer {at.key}"}
        try:
            async with (
                asyncio.timeout(METRICS_SECONDS),
                http.open_stream(
                    self.client(at.base_url),
                    "GET",
                    path,
                    headers=headers,
                    read_timeout=METRICS_SECONDS,
                ) as response,
            ):
                text = await read_bounded(response, MOST_METRICS_BYTES)
        except (VenomError, httpx.HTTPError, TimeoutError) as error:
            self.context.logger.info("the engine of %s tells no metrics: %s", ref, error)
            return None
        if response.status_code != 200:
            return None
        return EngineMetrics(ref, _named(text, self.metrics_names.encode()))


def _named(text: bytes, names: bytes) -> bytes:
    """Return the lines of Prometheus text that are of such names."""
    first = (names, b"# TYPE " + names, b"# HELP " + names)
    return b"".join(line for line in text.splitlines(keepends=True) if line.startswith(first))
