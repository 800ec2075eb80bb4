"""Installing, building and removing as operations, and what becomes of them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from typing_extensions import TypedDict

from venom_core.models.views import BuildFormatView, OperationView
from venom_core.plugins.access import ProviderAccess
from venom_core.sdk.errors import InvalidRequest
from venom_core.sdk.spec import Capability
from venom_core.store.audit import Actor
from venom_core.usecases.journal import Journal

if TYPE_CHECKING:
    from venom_core.models.builds import ModelBuilds
    from venom_core.models.operations import Operations

OperationVerb = Literal["pause", "resume", "cancel"]


class OperationPage(TypedDict):
    """``next_cursor`` asks for the page after this one, null where none is."""

    operations: list[OperationView]
    count: int
    next_cursor: str | None


class BuildFormats(TypedDict):
    success: bool
    formats: list[BuildFormatView]
    count: int


class UnknownRuntime(InvalidRequest):
    """A runtime that cannot serve what a source brings: well-formed, and cannot be carried out."""

    status = 422
    default_code = "unknown_runtime"


class OperationUseCases:
    """Begin, list and change operations. An operation publishes its states itself, under the
    feed's topic ``operations``.

    Args:
        operations: makes the jobs at the first use, which opens the store.
        stored: whether there is a store: looking must not make one.
    """

    def __init__(
        self,
        host: ProviderAccess,
        operations: Callable[[], Operations],
        stored: Callable[[], bool],
        journal: Journal,
        builds: Callable[[], ModelBuilds],
    ) -> None:
        self._host = host
        self._operations = operations
        self._stored = stored
        self._journal = journal
        self._builds = builds
        self._resuming: asyncio.Task[None] | None = None

    def resume_interrupted(self, store_file: Path) -> None:
        """Go on with what the process before left unfinished, behind what comes first."""
        self._resuming = asyncio.create_task(self._resume(store_file), name="resume operations")

    async def _resume(self, store_file: Path) -> None:
        from venom_core.store.interrupted import any_interrupted

        if await asyncio.to_thread(any_interrupted, store_file):
            await self._operations().resume_interrupted()

    async def close(self) -> None:
        """Go on with nothing any more; the jobs are closed by who made them."""
        if self._resuming is not None:
            self._resuming.cancel()
            await asyncio.gather(self._resuming, return_exceptions=True)

    async def install(
        self,
        name: str,
        *,
        provider: str | None = None,
        runtime: str | None = None,
        actor: Actor,
    ) -> OperationView:
        """Begin to fetch a model, or join or resume the install of the same that is open; return
        the operation.

        Args:
            provider: the source; None where the name says it or it is to be found.
            runtime: the provider that is to serve the model, where that is not its source.

        Raises ``UnknownRuntime``, and as ``Operations.install``; nothing is stored then.
        """
        if runtime is not None:
            self._check_pairing(provider or name, runtime)
        operation = await self._operations().install(name, provider=provider, key_id=actor.key_id)
        return await self._begun(operation, actor)

    async def build_formats(self) -> BuildFormats:
        """Return the formats that models can be built in here, and by whom."""
        found = await self._builds().formats()
        return {"success": True, "formats": found, "count": len(found)}

    async def build(
        self,
        name: str,
        format_name: str,
        precision: str | None = None,
        execution_provider: str | None = None,
        *,
        actor: Actor,
    ) -> OperationView:
        """Begin to build model files of another format from an installed model, or join or resume
        the build of the same that is open; return the operation.

        Args:
            precision, execution_provider: None for the format's defaults.

        Raises as ``Operations.build``; nothing is stored then.
        """
        operation = await self._operations().build(
            name, format_name, precision, execution_provider, key_id=actor.key_id
        )
        return await self._begun(operation, actor)

    async def remove(self, name: str, actor: Actor) -> OperationView:
        """Begin to delete an installed model; return the operation. Raises ``ModelNotFound``, and
        ``InvalidRequest`` (``model_active``)."""
        return await self._begun(await self._operations().remove(name, key_id=actor.key_id), actor)

    async def listing(self, limit: int, cursor: str | None = None) -> OperationPage:
        """Return the newest operations first; ``cursor`` is the ``next_cursor`` of the page
        before."""
        found = await self._operations().list(limit + 1, cursor) if self._stored() else []
        shown = found[:limit]
        more = shown[-1]["operation_id"] if len(found) > limit else None
        return {"operations": shown, "count": len(shown), "next_cursor": more}

    async def get(self, operation_id: str) -> OperationView:
        """Return one operation. Raises ``NotFound``."""
        return await self._operations().get(operation_id)

    async def change(self, operation_id: str, verb: OperationVerb, actor: Actor) -> OperationView:
        """Pause, resume or cancel; return the operation after it. Raises ``NotFound``,
        ``Conflict``."""
        operations = self._operations()
        before = await operations.get(operation_id)
        change = {
            "pause": operations.pause,
            "resume": operations.resume,
            "cancel": operations.cancel,
        }[verb]
        operation = await change(operation_id)
        states = ({"status": one["status"]} for one in (before, operation))
        await self._journal.record_audit(
            actor, f"operation.{verb}", operation["model_name"], *states
        )
        return operation

    async def _begun(self, operation: OperationView, actor: Actor) -> OperationView:
        after = {
            "operation_id": operation["operation_id"],
            "provider": operation["provider"],
            "status": operation["status"],
        }
        action = f"model.{operation['operation_type']}"
        await self._journal.record_audit(actor, action, operation["model_name"], None, after)
        return operation

    def _check_pairing(self, source: str, runtime: str) -> None:
        """Refuse a runtime that cannot serve what the source brings."""
        serves = self._host.resolve_name(runtime)
        if serves is None or Capability.CHAT not in self._host.specs()[serves].capabilities:
            raise UnknownRuntime(
                f"{runtime!r} is not a runtime that can serve models of {source}.",
                param="runtime",
                fix="See the installed providers with: venom plugins",
            )
