"""Installs, builds and removals as durable jobs.

An operation is in the store before anything is fetched, and every state that is shown was stored
first: whoever kills the process finds the same or a later state after the next start. The class
asks providers by name and knows none of them.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
import uuid
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from venom_core.models.builds import ModelBuilds, parameters_of
from venom_core.models.transfer_rate import TransferRate
from venom_core.models.transfers import ModelTransfers
from venom_core.models.views import OperationView
from venom_core.plugins.access import ProviderAccess
from venom_core.sdk.errors import (
    Conflict,
    ModelNotFound,
    NotFound,
    StorageError,
    VenomError,
)
from venom_core.sdk.provider import BuildProgress, PullPlan, PullProgress
from venom_core.sdk.utc import utc_text
from venom_core.store.operations import OPEN, Operation, OperationRepository
from venom_core.store.transactions import store_errors

log = logging.getLogger(__name__)
T = TypeVar("T")

PER_PROVIDER = 2
#: A build takes the memory of its model several times over, and all cores.
BUILDS = 1
#: The kinds that can be paused, gone on with and cancelled; a removal is done at once.
RESUMABLE = ("install", "build")
SAVE_SECONDS = 0.25
ENDED_SHOWN = 200


@dataclass(slots=True)
class _Job:
    """An operation of which something is still to come; ``shown`` is what the store holds."""

    shown: Operation
    rate: TransferRate = field(default_factory=TransferRate)
    task: asyncio.Task[None] | None = None
    #: How far it is; the store may be a moment behind.
    latest: PullProgress | BuildProgress | None = None
    saved_at: float = float("-inf")

    @property
    def running(self) -> bool:
        return self.task is not None and not self.task.done()


class Operations:
    """Durable jobs.

    Args:
        repository: opens the store; called in a thread, once.
        check_room: raises ``NoDiskSpace`` where a plan does not fit.
        publish: hands a changed operation's view to whoever watches.
    """

    def __init__(
        self,
        repository: Callable[[], OperationRepository],
        host: ProviderAccess,
        transfers: ModelTransfers,
        builds: ModelBuilds,
        check_room: Callable[[PullPlan], Awaitable[None]],
        publish: Callable[[Mapping[str, Any]], None],
    ) -> None:
        self._open_repository = repository
        self._host = host
        self._transfers = transfers
        self._builds = builds
        self._check_room = check_room
        self._publish = publish
        self._jobs: dict[str, _Job] | None = None
        self._changing = asyncio.Lock()
        self._slots: defaultdict[str, asyncio.Semaphore] = defaultdict(
            lambda: asyncio.Semaphore(PER_PROVIDER)
        )
        self._building = asyncio.Semaphore(BUILDS)
        # One thread: what is stored is stored in the order in which it happened.
        self._disk = ThreadPoolExecutor(1, "operations")
        self._repository: OperationRepository | None = None

    # -- asking ------------------------------------------------------------------------------

    async def get(self, operation_id: str) -> OperationView:
        """Return one operation as shown. Raises ``NotFound``."""
        job = (await self._known()).get(operation_id)
        if job is not None:
            return view(job.shown, job.rate)
        found = await self._in_store(lambda store: store.get(operation_id))
        if found is None:
            raise _unknown(operation_id)
        return view(found)

    async def list(self, limit: int, after: str | None = None) -> list[OperationView]:
        """Return operations, newest first; those behind the one of id ``after``."""
        jobs = await self._known()
        found = await self._in_store(lambda store: store.list(limit, after=after))
        return [
            view(job.shown, job.rate) if (job := jobs.get(item.id)) else view(item)
            for item in found
        ]

    # -- doing -------------------------------------------------------------------------------

    async def install(
        self, name: str, *, provider: str | None = None, key_id: str | None = None
    ) -> OperationView:
        """Begin to fetch a model, or join or resume the install of the same that is open.

        Raises ``ModelNotFound``, ``NoDiskSpace`` and what keeps the provider from answering,
        before anything is stored.
        """
        asked = f"{provider}://{name}" if provider and "://" not in name else name
        source, plan = await self._transfers.plan(asked)
        async with self._changing:
            for job in (await self._known()).values():
                if _what(job.shown) == ("install", source, plan.ref):
                    return await self._go_on(job)
            await self._check_room(plan)
            return await self._begin("install", source, plan.ref, name, key_id)

    async def build(
        self,
        name: str,
        format_name: str,
        precision: str | None = None,
        execution_provider: str | None = None,
        *,
        key_id: str | None = None,
    ) -> OperationView:
        """Begin to build a model, or join or resume the build of the same that is open; another
        one waits until it has ended. Raises as ``ModelBuilds.plan`` and ``NoDiskSpace``."""
        provider, request, plan = await self._builds.plan(
            name, format_name, precision, execution_provider
        )
        async with self._changing:
            for job in (await self._known()).values():
                if _what(job.shown) == ("build", provider, plan.ref):
                    return await self._go_on(job)
            await self._check_room(plan)
            parameters = parameters_of(request)
            return await self._begin("build", provider, plan.ref, name, key_id, parameters)

    async def remove(self, name: str, *, key_id: str | None = None) -> OperationView:
        """Begin to delete an installed model. Raises ``ModelNotFound``."""
        item = await self._transfers.removable(name)
        async with self._changing:
            await self._known()
            return await self._begin("remove", item.provider, item.model.ref, name, key_id)

    async def pause(self, operation_id: str) -> OperationView:
        """Stop an install or a build and keep what it has. Raises ``NotFound``, ``Conflict``."""
        async with self._changing:
            job = await self._job(operation_id)
            if job.shown.status != "paused":
                await self._stop(job)
                if job.shown.status in OPEN:  # it may have ended under our hands
                    await self._save(job, status="paused", message="Paused")
            return view(job.shown)

    async def resume(self, operation_id: str) -> OperationView:
        """Go on with a paused or failed install or build. Raises ``NotFound``,
        ``Conflict``."""
        async with self._changing:
            await self._take_up(operation_id)
            return await self._go_on(await self._job(operation_id))

    async def cancel(self, operation_id: str) -> OperationView:
        """End an install or a build and delete what it has brought, also where it failed. Raises
        ``NotFound``, ``Conflict``."""
        async with self._changing:
            await self._take_up(operation_id)
            job = await self._job(operation_id)
            await self._stop(job)
            if job.shown.status in (*OPEN, "failed"):
                await self._forget(job)
                await self._end(job, "cancelled", "Cancelled; nothing of it is kept")
            return view(job.shown)

    async def resume_interrupted(self) -> None:
        """Go on with what the last process left unfinished; paused ones stay so."""
        async with self._changing:
            for job in list((await self._known()).values()):
                if job.shown.status != "paused":
                    log.info("going on with the %s of %s", job.shown.type, job.shown.model_name)
                    await self._go_on(job)

    async def close(self) -> None:
        """Stop every job; those unfinished go on after the next start."""
        jobs = list((self._jobs or {}).values())
        await asyncio.gather(*(self._stop(job) for job in jobs))
        await asyncio.to_thread(self._disk.shutdown)

    # -- one job -----------------------------------------------------------------------------

    async def _begin(
        self,
        kind: Any,
        provider: str,
        ref: str,
        name: str,
        key_id: str | None,
        parameters: Mapping[str, str] | None = None,
    ) -> OperationView:
        operation = Operation(
            id=str(uuid.uuid4()),
            type=kind,
            status="pending",
            provider=provider,
            ref=ref,
            model_name=name,
            message="Waiting",
            started_at=utc_text(),
            key_id=key_id,
            parameters=parameters,
        )
        job = _Job(operation)
        await self._save(job)
        (await self._known())[operation.id] = job
        return self._start(job)

    def _start(self, job: _Job) -> OperationView:
        job.task = asyncio.create_task(self._run(job))
        return view(job.shown)

    async def _go_on(self, job: _Job) -> OperationView:
        if job.running:
            return view(job.shown, job.rate)
        await self._save(job, status="pending", message="Waiting")
        return self._start(job)

    async def _stop(self, job: _Job) -> None:
        if job.task is not None:
            job.task.cancel()
            await asyncio.gather(job.task, return_exceptions=True)

    async def _run(self, job: _Job) -> None:
        try:
            building = job.shown.type == "build"
            async with self._building if building else self._slots[job.shown.provider]:
                await self._save(job, status="in_progress", message="Starting")
                if building:
                    message = await self._build(job)
                elif job.shown.type == "install":
                    message = await self._fetch(job)
                else:
                    message = await self._delete(job)
            await self._end(job, "completed", message)
        except VenomError as error:
            await self._end(job, "failed", error.message, error.again())
        except Exception:  # a fault of ours: what is shown must not stay under way for ever
            log.exception("the %s of %s failed", job.shown.type, job.shown.model_name)
            fault = VenomError("The operation failed.", fix="The log has the details: venom logs")
            await self._end(job, "failed", fault.message, fault)

    async def _fetch(self, job: _Job) -> str:
        job.rate, job.latest = TransferRate(), None
        message = job.shown.message
        steps = self._transfers.fetch(job.shown.provider, job.shown.ref)
        async with contextlib.aclosing(steps):
            async for step in steps:
                message = step.message
                job.rate.note(step.bytes_done, step.bytes_total)
                job.latest = step
                late = time.monotonic() - job.saved_at >= SAVE_SECONDS
                if late or step.status != "pulling" or not job.shown.bytes_done:
                    await self._save(job)
        return message

    async def _build(self, job: _Job) -> str:
        job.latest, message = None, job.shown.message
        shown = job.shown
        steps = self._builds.run(shown.provider, shown.ref, shown.parameters or {})
        async with contextlib.aclosing(steps):
            async for step in steps:
                news = step.message != message
                job.latest, message = step, step.message
                if news or time.monotonic() - job.saved_at >= SAVE_SECONDS:
                    await self._save(job)
        return message

    async def _forget(self, job: _Job) -> None:
        try:
            if job.shown.type == "build":
                await self._builds.forget(job.shown.provider, job.shown.parameters or {})
                return
            provider = await self._host.provider(job.shown.provider)
            await provider.forget_pull(job.shown.ref)
        except VenomError as error:  # what is left over must not keep anybody from cancelling
            log.warning("what %s left behind was not deleted: %s", job.shown.model_name, error)

    async def _delete(self, job: _Job) -> str:
        # It was there when this began: where it is gone, an earlier process got as far as that.
        with contextlib.suppress(ModelNotFound):
            await self._transfers.delete(job.shown.provider, job.shown.ref)
        return f"{job.shown.model_name} was removed"

    async def _end(
        self, job: _Job, status: str, message: str, error: VenomError | None = None
    ) -> None:
        changes: dict[str, Any] = {
            "status": status,
            "message": message,
            "error": error,
            "completed_at": utc_text(),
        }
        if status == "completed":
            changes["progress"] = 100
        try:
            await self._save(job, **changes)
        except StorageError as fault:  # a full disk ends most operations: it must be seen to end
            log.error("the end of %s is not stored: %s", job.shown.model_name, fault.message)
            self._show(job, replace(job.shown, **{**_advanced(job), **changes}))
        (await self._known()).pop(job.shown.id, None)

    async def _save(self, job: _Job, **changes: Any) -> None:
        """Store first, then show."""
        new = replace(job.shown, **{**_advanced(job), **changes})
        saving = asyncio.ensure_future(self._in_store(lambda store: store.save(new)))
        try:
            await asyncio.shield(saving)
        except asyncio.CancelledError:
            # It is being stored all the same, and before whatever is stored next.
            saving.add_done_callback(_seen)
            self._show(job, new)
            raise
        self._show(job, new)

    def _show(self, job: _Job, new: Operation) -> None:
        job.shown, job.saved_at = new, time.monotonic()
        self._publish(view(new, job.rate))

    # -- the store ---------------------------------------------------------------------------

    async def _known(self) -> dict[str, _Job]:
        """Open operations; those of the process before are read at the first question."""
        if self._jobs is None:
            found = await self._in_store(lambda store: store.list(ENDED_SHOWN, OPEN))
            if self._jobs is None:
                self._jobs = {item.id: _Job(item) for item in reversed(found)}
        return self._jobs

    async def _take_up(self, operation_id: str) -> None:
        """Make a failed install or build one that can be changed: not where another of the same is
        open, which works in the same folder."""
        jobs = await self._known()
        if operation_id in jobs:
            return
        found = await self._in_store(lambda store: store.get(operation_id))
        if found is None or found.status != "failed" or found.type not in RESUMABLE:
            return
        if _what(found) not in {_what(job.shown) for job in jobs.values()}:
            jobs[operation_id] = _Job(replace(found, error=None, completed_at=None))

    async def _job(self, operation_id: str) -> _Job:
        job = (await self._known()).get(operation_id)
        if job is not None and job.shown.type in RESUMABLE:
            return job
        found = job.shown if job else await self._in_store(lambda store: store.get(operation_id))
        if found is None:
            raise _unknown(operation_id)
        raise Conflict(
            f"The operation on {found.model_name} is {found.status} and cannot be changed.",
            code="operation_ended",
            fix="See the operations with: venom operations",
        )

    async def _in_store(self, work: Callable[[OperationRepository], T]) -> T:
        def do() -> T:
            if self._repository is None:
                self._repository = self._open_repository()
                self._repository.prune()
            with store_errors():
                return work(self._repository)

        return await asyncio.get_running_loop().run_in_executor(self._disk, do)


def _what(operation: Operation) -> tuple[str, str, str]:
    """Return what two operations on the same are alike in."""
    return operation.type, operation.provider, operation.ref


def view(operation: Operation, rate: TransferRate | None = None) -> OperationView:
    """Return an operation as every surface shows it."""
    error = operation.error
    comes = rate if operation.status == "in_progress" else None
    return {
        "operation_id": operation.id,
        "model_name": operation.model_name,
        "reference": f"{operation.provider}://{operation.ref}",
        "operation_type": operation.type,
        "status": operation.status,
        "progress": operation.progress,
        "message": operation.message,
        "started_at": operation.started_at,
        "completed_at": operation.completed_at,
        "error": error.message if error else None,
        "code": error.code if error else None,
        "fix": error.fix if error else None,
        "docs": error.docs if error else None,
        "param": error.param if error else None,
        "error_status": error.status if error else None,
        "retry_after": error.retry_after if error else None,
        "provider": operation.provider,
        "bytes_total": operation.bytes_total,
        "bytes_done": operation.bytes_done,
        "eta_seconds": _whole(comes.eta_seconds if comes else None),
        "bytes_per_second": _whole(comes.bytes_per_second if comes else None),
    }


def _whole(number: float | None) -> int | None:
    return None if number is None else round(number)


def _advanced(job: _Job) -> dict[str, Any]:
    """Return what the latest step changes. Neither bytes nor percent ever fall: not where a total
    grows as parts become known, and not where a source begins anew after a restart."""
    shown, step = job.shown, job.latest
    if step is None:
        return {}
    if isinstance(step, BuildProgress):
        done = max(shown.progress, min(99, step.percent))
        return {"message": step.message, "progress": done}
    percent = min(99, step.bytes_done * 100 // step.bytes_total) if step.bytes_total else 0
    return {
        "message": step.message,
        "progress": max(shown.progress, percent),
        "bytes_done": max(shown.bytes_done, step.bytes_done),
        "bytes_total": step.bytes_total or shown.bytes_total,
    }


def _seen(saving: asyncio.Future[None]) -> None:
    if not saving.cancelled() and (error := saving.exception()) is not None:
        log.error("an operation's state is not stored: %s", error)


def _unknown(operation_id: str) -> NotFound:
    return NotFound(
        f"There is no operation {operation_id!r}.",
        code="operation_not_found",
        fix="See the operations with: venom operations",
    )
