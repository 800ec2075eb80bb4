"""ONNX models, each in an engine's server of its own over ONNX Runtime."""

from __future__ import annotations

import asyncio
import contextlib
import functools
from collections.abc import AsyncGenerator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import cast

from venom_core.sdk import EngineCommand
from venom_core.sdk.disk import discard, disk_errors, safe_name
from venom_core.sdk.distributions import module_version
from venom_core.sdk.engine_server import load_refusal, server_args, server_environment
from venom_core.sdk.environments import Environment
from venom_core.sdk.errors import (
    EngineMissing,
    ModelNotFound,
    NotSupported,
    Unavailable,
    VenomError,
)
from venom_core.sdk.frames import Frame
from venom_core.sdk.hub_files import default_cache
from venom_core.sdk.machine import engine_threads
from venom_core.sdk.memory_estimate import needed
from venom_core.sdk.messages import ChatRequest, Embeddings, EmbedRequest
from venom_core.sdk.openai_engine import Endpoint
from venom_core.sdk.pooled_engine import PooledEngineProvider
from venom_core.sdk.provider import BuildProgress, BuildRequest, Model, ProviderContext, PullPlan
from venom_core.sdk.tool_emulation import with_tools
from venom_onnx.building import Builder
from venom_onnx.catalogue import Catalogue, ServableModel
from venom_onnx.memory import OVERHEAD_BYTES, memory_plan
from venom_onnx.plugin import BUILD_ENVIRONMENT

ENGINE_MODULE, ENGINE_DISTRIBUTION = "onnxruntime_genai", "onnxruntime-genai"
ENGINES = {
    "genai": "venom_onnx.engine:GenAiEngine",
    "embedding": "venom_onnx.embedding_engine:EmbeddingEngine",
}


class OnnxProvider(PooledEngineProvider):
    """ONNX Runtime, one process for each model in use."""

    def __init__(self, context: ProviderContext) -> None:
        settings = context.settings
        super().__init__(
            context,
            max_loaded=cast(int, settings["max_loaded"]),
            keep_alive=cast(int, settings["keep_alive"]),
            overhead=OVERHEAD_BYTES,
        )
        self._parallel = cast(int, settings["parallel"])
        self._threads = engine_threads(cast(int, settings["threads"]))
        cache = cast("str | None", settings["hub_cache"])
        self._catalogue = Catalogue(
            context.models_dir / "onnx",
            cast("tuple[str, ...]", settings["model_paths"] or ()),
            Path(cache) if cache else default_cache(),
            cast(int, settings["context_length"]),
        )
        self._serving: dict[str, ServableModel] = {}
        python = cast("str | None", settings["build_python"])
        self._builder = Builder(
            self._catalogue.store,
            Environment(BUILD_ENVIRONMENT, context.data_dir),
            Path(python) if python else None,
            self.engines_folder / "build.log",
        )

    async def open(self) -> None:
        """See :meth:`PooledEngineProvider.open`. Raises ``Unavailable`` (``provider_off``) where
        the settings say that nothing of this is wanted."""
        if not self.context.settings["enabled"]:
            raise Unavailable(
                "The settings switch ONNX Runtime off.",
                code="provider_off",
                fix="Set ONNX_LLM_ENABLED to true, or VENOM_ONNX__ENABLED.",
            )
        await super().open()

    def look_for_engine(self) -> str:
        version = engine_version()
        if version is None:
            raise engine_missing()
        return version

    async def models(self) -> Sequence[Model]:
        served = await asyncio.to_thread(self._catalogue.all)
        return [self._listed_model(item) for item in served.values()]

    async def describe(self, ref: str) -> Model:
        return self._listed_model(await self._find(ref))

    def _listed_model(self, served: ServableModel) -> Model:
        model = replace(served.model, loaded=self.pool.is_loaded(served.model.ref))
        if model.architecture is None or model.context_length is None:
            return model
        parallel = self._parallel if served.folder.kind == "genai" else 1
        return replace(model, memory_plan=memory_plan(model.context_length, parallel))

    async def _find(self, ref: str) -> ServableModel:
        if ref in self._serving and self.pool.is_loaded(ref):
            return self._serving[ref]  # a request to a running engine needs no look at the disk
        served = await asyncio.to_thread(self._catalogue.all)
        if ref not in served:
            raise ModelNotFound(
                f"ONNX Runtime has no model {ref!r}.", param="model", fix="venom list"
            )
        return served[ref]

    # -- answering ---------------------------------------------------------------------------

    @contextlib.asynccontextmanager
    async def lease(self, ref: str) -> AsyncGenerator[Endpoint, None]:
        served = await self._find(ref)
        model = served.model
        if served.folder.reason is not None:
            raise served.folder.reason.error()
        async with self.running(
            model.ref,
            functools.partial(self._command, served),
            model.context_length,
            self._need(served),
        ) as endpoint:
            self._serving[model.ref] = served
            yield endpoint

    def _need(self, served: ServableModel) -> int:
        """Return the bytes that a model is expected to take, beside the engine's own."""
        model = self._listed_model(served)
        if model.architecture is None or model.memory_plan is None or model.architecture.unknown:
            return model.size_bytes or 0
        return needed(
            model.architecture,
            replace(model.memory_plan, overhead_bytes=0),
            model.context_length or 0,
        ).total

    def _command(self, served: ServableModel) -> EngineCommand:
        model, folder = served.model, served.folder
        name, engines = safe_name(model.ref), self.engines_folder
        config = {
            "path": str(folder.path),
            "own": str(engines / f"{name}.files"),
            "name": model.ref,
            "context_length": model.context_length,
            "parallel": self._parallel,
            "threads": self._threads,
            "provider": self.context.settings["execution_provider"],
        }
        return EngineCommand(
            name=f"ONNX Runtime ({model.ref})",
            args=server_args(ENGINES[folder.kind or "genai"]),
            model=model.ref,
            log_file=engines / f"{name}.log",
            pid_file=engines / f"{name}.pid",
            env=server_environment(config),
            ready_timeout=60.0 + (model.size_bytes or 0) / 20e6,
            explain=load_refusal,
        )

    async def chat(self, request: ChatRequest) -> AsyncGenerator[Frame, None]:
        await self._require(request.model, "chat")
        async with contextlib.aclosing(with_tools(request, super().chat)) as frames:
            async for frame in frames:
                yield frame

    async def complete(self, request: ChatRequest) -> AsyncGenerator[Frame, None]:
        await self._require(request.model, "completion")
        async with contextlib.aclosing(super().complete(request)) as frames:
            async for frame in frames:
                yield frame

    async def embed(self, request: EmbedRequest) -> Embeddings:
        await self._require(request.model, "embedding")
        return await super().embed(request)

    async def _require(self, ref: str, capability: str) -> None:
        served = await self._find(ref)
        if served.folder.reason is not None:
            raise served.folder.reason.error()
        self.require(served.model, capability)

    # -- memory and files --------------------------------------------------------------------

    async def unload(self, ref: str) -> None:
        await super().unload((await self._find(ref)).model.ref)

    async def plan_build(self, request: BuildRequest) -> PullPlan:
        return await self._builder.plan(request)

    def build(self, request: BuildRequest) -> AsyncGenerator[BuildProgress, None]:
        return self._builder.build(request)

    async def forget_build(self, request: BuildRequest) -> None:
        await self._builder.forget(request)

    async def remove(self, ref: str) -> None:
        served = await self._find(ref)
        if not served.removable:
            raise NotSupported(
                f"{ref} is a folder that ONNX Runtime serves and does not own.",
                fix="Delete it where it lies: a folder of model_paths, or the Hugging Face cache.",
            )
        await self.pool.unload(served.model.ref)
        self._serving.pop(served.model.ref, None)
        await asyncio.to_thread(self._delete, served)

    def _delete(self, served: ServableModel) -> None:
        own = self._catalogue.store / served.model.ref
        with disk_errors():
            discard(own)


def engine_missing() -> VenomError:
    return EngineMissing(
        "ONNX Runtime (onnxruntime-genai) is not installed.", fix="venom plugins install onnx"
    )


def engine_version() -> str | None:
    """Return the installed engine's version; None where there is none."""
    return module_version(ENGINE_MODULE, ENGINE_DISTRIBUTION)
