"""Benchmarks of models: begun, followed, cancelled, listed, deleted."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path, Request
from pydantic import Field
from starlette.responses import Response
from typing_extensions import TypedDict

from venom_core.api.callers import actor_of
from venom_core.api.health import venom_of
from venom_core.api.language import localized
from venom_core.api.openapi.declared import answers
from venom_core.api.routing import keyed_router
from venom_core.api.v1.models.shapes import Limit
from venom_core.chat.validation import Body
from venom_core.models.references import MAX_LENGTH
from venom_core.usecases.benchmark.running import BenchmarkPage
from venom_core.usecases.benchmark.views import MOST_QUESTIONS, BenchmarkView
from venom_core.usecases.models import Done

router = keyed_router("/benchmark")

MOST_MODELS = 8
Name = Annotated[str, Field(min_length=1, max_length=MAX_LENGTH)]
BenchmarkId = Annotated[str, Path(pattern="^[A-Za-z0-9-]{1,36}$")]


class BenchmarkStart(Body):
    """``models`` are references or names, each measured once; ``num_questions`` how many each is
    asked."""

    models: list[Name] = Field(min_length=1, max_length=MOST_MODELS)
    num_questions: int = Field(default=3, ge=1, le=MOST_QUESTIONS)


class BenchmarkBegun(Done):
    benchmark_id: str


class BenchmarkList(BenchmarkPage):
    success: bool


class OneBenchmark(TypedDict):
    success: bool
    benchmark: BenchmarkView


@router.post("/start")
@answers(BenchmarkBegun)
async def start_benchmark(request: Request, body: BenchmarkStart) -> Response:
    """Begin to measure models, one after another, over real answers."""
    view = await venom_of(request).benchmarks.start(
        body.models, body.num_questions, actor_of(request)
    )
    begun: BenchmarkBegun = {
        "success": True,
        "message": "The benchmark has begun.",
        "benchmark_id": view["benchmark_id"],
    }
    return localized(request, begun)


@router.get("/list")
@answers(BenchmarkList)
async def list_benchmarks(request: Request, limit: Limit = 20) -> Response:
    """Return benchmarks, the newest first: the one under way and those that are kept."""
    page = await venom_of(request).benchmarks.listing(limit)
    body: BenchmarkList = {"success": True, **page}
    return localized(request, body)


@router.get("/{benchmark_id}/status")
@answers(OneBenchmark)
async def get_benchmark(request: Request, benchmark_id: BenchmarkId) -> Response:
    """Return one benchmark, as far as it is."""
    return _one(request, await venom_of(request).benchmarks.get(benchmark_id))


@router.post("/{benchmark_id}/cancel")
@answers(OneBenchmark)
async def cancel_benchmark(request: Request, benchmark_id: BenchmarkId) -> Response:
    """End a benchmark; what was measured is kept. One that has ended stays as it is."""
    venom = venom_of(request)
    return _one(request, await venom.benchmarks.cancel(benchmark_id, actor_of(request)))


@router.delete("/{benchmark_id}")
@answers(Done)
async def delete_benchmark(request: Request, benchmark_id: BenchmarkId) -> Response:
    """Delete a benchmark that has ended."""
    await venom_of(request).benchmarks.remove(benchmark_id, actor_of(request))
    done: Done = {"success": True, "message": "The benchmark is deleted."}
    return localized(request, done)


def _one(request: Request, view: BenchmarkView) -> Response:
    body: OneBenchmark = {"success": True, "benchmark": view}
    return localized(request, body)
