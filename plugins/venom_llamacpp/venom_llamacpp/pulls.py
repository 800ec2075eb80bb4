"""Fetching models: those that are built in, and files of the Hub."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator

from venom_core.sdk.errors import Conflict, ModelNotFound
from venom_core.sdk.hub_files import HubRef
from venom_core.sdk.provider import PullPlan, PullProgress
from venom_llamacpp.catalogue import BUILT_IN
from venom_llamacpp.hub import Hub, hub_reference, listed_name
from venom_llamacpp.packages import pull_built_in
from venom_llamacpp.store import ModelStore


class Pulls:
    """Fetches models into the store, each by one pull at a time."""

    def __init__(self, store: ModelStore, hub: Hub) -> None:
        self._store = store
        self._hub = hub
        self._under_way: set[str] = set()

    async def plan(self, ref: str) -> PullPlan:
        """Return what a pull would fetch."""
        ref, hub = _to_fetch(ref)
        if await asyncio.to_thread(self._store.find, ref):
            return PullPlan(ref)
        if hub is not None:
            return await self._hub.plan(self._store, hub)
        entry = BUILT_IN[ref]
        return PullPlan(
            ref,
            entry.source.download_bytes,
            bytes_needed=entry.size_bytes,
            folder=self._store.folder,
        )

    async def forget(self, ref: str) -> None:
        """Remove what a pull that did not end left behind."""
        try:
            ref, _ = _to_fetch(ref)
        except ModelNotFound:
            return  # what cannot be fetched left nothing
        if ref not in self._under_way:
            await asyncio.to_thread(self._store.forget, ref)

    async def pull(self, ref: str) -> AsyncGenerator[PullProgress, None]:
        """Fetch a model, step by step."""
        ref, hub = _to_fetch(ref)
        if ref in self._under_way:
            raise Conflict(
                f"{ref} is being fetched already.",
                code="operation_in_progress",
                fix="Wait for it: venom operations",
            )
        self._under_way.add(ref)
        try:
            if await asyncio.to_thread(self._store.find, ref):
                yield PullProgress("completed", f"{ref} is there already")
                return
            steps = (
                self._hub.pull(self._store, hub) if hub
                else pull_built_in(self._store, BUILT_IN[ref])
            )  # fmt: skip
            async with contextlib.aclosing(steps):
                async for step in steps:
                    yield step
        finally:
            self._under_way.discard(ref)


def _to_fetch(ref: str) -> tuple[str, HubRef | None]:
    """Return the reference as it is listed, and its parts where it is one of the Hub's."""
    hub = hub_reference(ref)
    if hub is None and ref not in BUILT_IN:
        raise ModelNotFound(
            f"The embedded engine cannot fetch {ref!r}.",
            param="name",
            fix="Name a built-in model (venom list --available), or hf.co/org/repo:Q4_K_M",
        )
    return (listed_name(hub) if hub else ref), hub
