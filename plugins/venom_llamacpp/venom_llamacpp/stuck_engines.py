"""Engines that compute without an end.

A grammar that can go on in very many ways keeps llama.cpp busy for hours over one token, and the
pattern of a JSON schema for many seconds, also when nobody waits for it any more; meanwhile it
answers nobody. Such an engine is ended.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable

from venom_core.sdk.errors import Unavailable, UpstreamError, UpstreamTimeout

#: Seconds. A batch of a long prompt takes some on a small machine.
PATIENCE = 30.0


class StuckEngines:
    """Knows which engines may be stuck: those whose last answer held to a form was left
    before its end."""

    def __init__(self, patience: float = PATIENCE) -> None:
        self.patience = patience
        self._doubted: set[str] = set()
        self._asking = asyncio.Lock()

    @contextlib.asynccontextmanager
    async def watching(self, ref: str) -> AsyncGenerator[None, None]:
        """Doubt a model's engine from now on where an answer held to a form is left."""
        try:
            yield
        except BaseException:
            self._doubted.add(ref)
            raise

    def may_be(self, ref: str) -> bool:
        """Return whether a model's engine is to be asked before it is used."""
        return ref in self._doubted

    async def is_stuck(self, ref: str, ask: Callable[[float], Awaitable[object]] | None) -> bool:
        """Ask a doubted engine, once for all who want it; afterwards it is doubted no more.

        Args:
            ask: gets an answer of the engine's one thread within so many seconds; None where no
                engine runs.
        """
        async with self._asking:
            if ref not in self._doubted:
                return False
            try:
                if ask is not None:
                    await ask(self.patience)
            except (UpstreamError, UpstreamTimeout, Unavailable):
                return True
            finally:
                self._doubted.discard(ref)
            return False
