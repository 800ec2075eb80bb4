"""Benchmarks: begun, followed, cancelled, kept, listed and deleted. One is under way at a time."""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Callable, Sequence

from typing_extensions import TypedDict

from venom_core._version import __version__
from venom_core.chat.checks import check_capable
from venom_core.chat.service import ChatService
from venom_core.models.memory import ModelMemory
from venom_core.models.registry import ListedModel
from venom_core.sdk.errors import Conflict, NotFound, VenomError
from venom_core.sdk.machine import this_machine
from venom_core.sdk.utc import utc_text
from venom_core.store.audit import Actor
from venom_core.store.benchmarks import Benchmark, BenchmarkRepository
from venom_core.usecases.benchmark.views import BenchmarkView, kept_view, new_result
from venom_core.usecases.engines import EngineUseCases
from venom_core.usecases.journal import Journal

log = logging.getLogger(__name__)


class BenchmarkPage(TypedDict):
    """Benchmarks, the newest first: the one under way among them."""

    benchmarks: list[BenchmarkView]
    count: int


class _Run:
    """A benchmark under way."""

    def __init__(self, view: BenchmarkView, items: Sequence[ListedModel]) -> None:
        self.view = view
        self.items = items
        self.done = 0
        self.task: asyncio.Task[None] | None = None

    @property
    def steps(self) -> int:
        """Return the number of answers: one more of each model than there are questions."""
        return len(self.items) * (self.view["num_questions"] + 1)


class BenchmarkUseCases:
    """Use cases of benchmarks.

    Args:
        repository: opens the store; called in a thread.
        stored: whether there is a store: looking must not make one.
        publish: tells the feed.
    """

    def __init__(
        self,
        chat: ChatService,
        memory: ModelMemory,
        engines: EngineUseCases,
        repository: Callable[[], BenchmarkRepository],
        stored: Callable[[], bool],
        journal: Journal,
        publish: Callable[[BenchmarkView], None],
    ) -> None:
        self._chat = chat
        self._memory = memory
        self._engines = engines
        self._repository = repository
        self._stored = stored
        self._journal = journal
        self._publish = publish
        self._run: _Run | None = None
        self._starting = asyncio.Lock()

    async def start(self, models: Sequence[str], num_questions: int, actor: Actor) -> BenchmarkView:
        """Begin to measure models, one after another. Raises what resolving a name does,
        ``ModelNotCapable``, ``LlmOff``, and ``Conflict`` (``benchmark_running``)."""
        async with self._starting:
            if self._run is not None:
                raise Conflict(
                    "A benchmark is under way already.",
                    code="benchmark_running",
                    fix="Wait for its end, or cancel it.",
                )
            items = await self._items(models, actor)
            machine = await asyncio.to_thread(this_machine)
            run = _Run(
                {
                    "benchmark_id": str(uuid.uuid4()),
                    "status": "running",
                    "progress": 0,
                    "current_model": None,
                    "num_questions": num_questions,
                    "started_at": utc_text(),
                    "completed_at": None,
                    "venom_version": __version__,
                    "machine": {
                        "system": machine.system,
                        "cores": machine.cores,
                        "memory_total_bytes": machine.memory_total_bytes,
                    },
                    "results": [new_result(one.reference, one.model.runs_at) for one in items],
                },
                items,
            )
            names = [item.reference for item in items]
            after = {"benchmark_id": run.view["benchmark_id"], "num_questions": num_questions}
            subject = ", ".join(names)[:250]
            await self._journal.record_audit(actor, "benchmark.start", subject, None, after)
            self._run = run
            run.task = asyncio.create_task(self._measure(run, actor), name="benchmark")
        self._publish(run.view)
        return run.view

    async def listing(self, limit: int) -> BenchmarkPage:
        """Return the newest first, the one under way before all."""
        kept = await asyncio.to_thread(self._read, limit)
        views = [kept_view(one) for one in kept]
        if self._run is not None:
            views = [self._run.view, *views]
        return {"benchmarks": views[:limit], "count": len(views[:limit])}

    async def get(self, benchmark_id: str) -> BenchmarkView:
        """Return one. Raises ``NotFound`` (``benchmark_not_found``)."""
        if self._run is not None and self._run.view["benchmark_id"] == benchmark_id:
            return self._run.view
        found = None
        if self._stored():
            found = await asyncio.to_thread(lambda: self._repository().get(benchmark_id))
        if found is None:
            raise _unknown(benchmark_id)
        return kept_view(found)

    async def cancel(self, benchmark_id: str, actor: Actor) -> BenchmarkView:
        """End one that is under way; what was measured is kept. One that has ended stays as it is.
        Raises ``NotFound``."""
        run = self._run
        if run is None or run.view["benchmark_id"] != benchmark_id:
            return await self.get(benchmark_id)
        await self._journal.record_audit(actor, "benchmark.cancel", benchmark_id)
        await self._end(run)
        return run.view

    async def remove(self, benchmark_id: str, actor: Actor) -> None:
        """Delete one that has ended. Raises ``NotFound``, and ``Conflict`` (``benchmark_running``)
        where it is under way."""
        if self._run is not None and self._run.view["benchmark_id"] == benchmark_id:
            raise Conflict(
                "This benchmark is under way.",
                code="benchmark_running",
                fix="Cancel it first.",
            )
        there = self._stored()
        if not there or not await asyncio.to_thread(
            lambda: self._repository().remove(benchmark_id)
        ):
            raise _unknown(benchmark_id)
        await self._journal.record_audit(actor, "benchmark.remove", benchmark_id)

    async def close(self) -> None:
        """End the one under way, and keep what it measured."""
        if self._run is not None:
            await self._end(self._run)

    async def wait(self, benchmark_id: str) -> BenchmarkView:
        """Return it once it has ended. Raises ``NotFound``."""
        run = self._run
        if run is not None and run.view["benchmark_id"] == benchmark_id and run.task is not None:
            await asyncio.wait({run.task})
            return run.view
        return await self.get(benchmark_id)

    async def _items(self, models: Sequence[str], actor: Actor) -> list[ListedModel]:
        """Return the models, each once."""
        self._chat.check_allowed()
        found: dict[str, ListedModel] = {}
        for name in models:
            item = await self._chat.registry.serving(await self._chat.registry.resolve(name))
            self._chat.quotas.check_model(actor.key_id, item)
            check_capable(item, "chat")
            found[item.reference] = item
        return [*found.values()]

    async def _measure(self, run: _Run, actor: Actor) -> None:
        from venom_core.usecases.benchmark.asking import Examiner

        view = run.view

        def step() -> None:
            run.done += 1
            view["progress"] = min(99, 100 * run.done // run.steps)
            self._publish(view)

        examiner = Examiner(
            self._chat, self._memory, self._engines, view["num_questions"], actor, step
        )
        try:
            for number, (item, result) in enumerate(
                zip(run.items, view["results"], strict=True), 1
            ):
                view["current_model"] = item.reference
                result["status"] = "running"
                self._publish(view)
                try:
                    await examiner.examine(item, result)
                    result["status"] = "completed"
                except Exception as error:
                    result["status"], result["error"] = "failed", _refusal(error).record()
                run.done = max(run.done, number * (view["num_questions"] + 1))
            whole = any(one["status"] == "completed" for one in view["results"])
            view["status"] = "completed" if whole else "failed"
        except asyncio.CancelledError:
            view["status"] = "cancelled"
            for result in view["results"]:
                if result["status"] in ("pending", "running"):
                    result["status"] = "cancelled"
        await self._keep(run)

    async def _keep(self, run: _Run) -> None:
        view = run.view
        ended = utc_text()
        view["progress"], view["current_model"], view["completed_at"] = 100, None, ended
        kept = Benchmark(
            view["benchmark_id"], view["status"], view["started_at"], ended,
            view["num_questions"], view["venom_version"], dict(view["machine"]),
            [dict(one) for one in view["results"]],
        )  # fmt: skip
        try:
            await asyncio.to_thread(lambda: self._repository().add(kept))
        except VenomError as error:
            log.warning("a benchmark is not kept: %s", error.message)
        finally:
            self._run = None
        self._publish(view)

    async def _end(self, run: _Run) -> None:
        if run.task is not None:
            if run.view["status"] == "running":  # else it is being kept
                run.task.cancel()
            await asyncio.wait({run.task})

    def _read(self, limit: int) -> list[Benchmark]:
        return self._repository().list(limit) if self._stored() else []


def _unknown(benchmark_id: str) -> NotFound:
    return NotFound(
        f"There is no benchmark {benchmark_id!r}.",
        code="benchmark_not_found",
        param="benchmark_id",
        fix="See which there are with: venom bench",
    )


def _refusal(error: Exception) -> VenomError:
    if isinstance(error, VenomError):
        return error
    log.error("a benchmark failed", exc_info=error)
    return VenomError("Venom failed at this request.")
