"""vLLM: which folders it serves, how it is started, and requests in its own words."""

from __future__ import annotations

import asyncio
import contextlib
import functools
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from venom_core.sdk import EngineCommand
from venom_core.sdk.bounded_json import loads
from venom_core.sdk.disk import Place, safe_name
from venom_core.sdk.errors import (
    ContextLengthExceeded,
    InvalidRequest,
    ModelNotFound,
    VenomError,
)
from venom_core.sdk.folder_catalogue import FolderCatalogue, FoundFolder, model_of
from venom_core.sdk.frames import Frame
from venom_core.sdk.hub_files import default_cache
from venom_core.sdk.joined_answers import choices_of
from venom_core.sdk.memory_estimate import needed
from venom_core.sdk.messages import ChatRequest, Embeddings, EmbedRequest
from venom_core.sdk.model_files import OwnFile
from venom_core.sdk.model_links import link_files
from venom_core.sdk.numbers import tokens
from venom_core.sdk.openai_engine import Endpoint, read_bounded
from venom_core.sdk.pooled_engine import PooledEngineProvider
from venom_core.sdk.provider import Model, ProviderContext
from venom_core.sdk.stream_reader import MAX_ANSWER_BYTES
from venom_core.sdk.tool_emulation import with_tools
from venom_vllm.bodies import alone, chat_body, completion_body, in_our_words
from venom_vllm.interpreter import Interpreter, Interpreters
from venom_vllm.launching import Launch, command
from venom_vllm.memory import OVERHEAD_BYTES, memory_plan
from venom_vllm.templates import with_template

PLACE = Place("Venom's folder of links to models", "VENOM_HOME", "home_not_writable")


class VllmProvider(PooledEngineProvider):
    """vLLM, one server for each model in use."""

    metrics_path, metrics_names = "/metrics", "vllm:"

    def __init__(self, context: ProviderContext) -> None:
        settings = context.settings
        super().__init__(
            context,
            max_loaded=cast(int, settings["max_loaded"]),
            keep_alive=cast(int, settings["keep_alive"]),
            overhead=OVERHEAD_BYTES,
        )
        cache = cast("str | None", settings["hub_cache"])
        self._catalogue = FolderCatalogue(
            cast("tuple[str, ...]", settings["model_paths"] or ()),
            Path(cache) if cache else default_cache(),
        )
        python = cast("str | None", settings["python"])
        self._interpreters = Interpreters(Path(python) if python else None, context.data_dir)
        self._context_length = cast(int, settings["context_length"])
        self._template = cast("str | None", settings["chat_template"])
        self._parses_tools = bool(settings["tool_parser"])
        self._serving: dict[str, FoundFolder] = {}
        self._preparing = asyncio.Lock()
        self._prepared: dict[str, tuple[OwnFile, ...]] = {}

    def look_for_engine(self) -> str:
        return self._interpreters.find().version

    async def models(self) -> Sequence[Model]:
        found = await asyncio.to_thread(self._all)
        return [self._listed_model(folder) for folder in found.values()]

    async def describe(self, ref: str) -> Model:
        return self._listed_model(await self._find(ref))

    def _all(self) -> Mapping[str, FoundFolder]:
        found = self._catalogue.all()
        if self._template is None:
            return found
        return with_template(found, self.context.data_dir, self._template)

    def _listed_model(self, found: FoundFolder) -> Model:
        model = model_of(found, self._context_length)
        model = replace(
            model,
            loaded=self.pool.is_loaded(model.ref),
            # It takes no penalty and no share of 0.
            parameter_bounds={
                "repeat_penalty": (0.01, 10.0), "top_p": (0.001, 1.0), **model.parameter_bounds,
            },
        )  # fmt: skip
        if model.architecture is None or model.context_length is None:
            return model
        return replace(model, memory_plan=memory_plan(model.context_length))

    async def _find(self, ref: str) -> FoundFolder:
        if ref in self._serving and self.pool.is_loaded(ref):
            return self._serving[ref]  # a request to a running engine needs no look at the disk
        found = await asyncio.to_thread(self._all)
        if ref not in found:
            raise ModelNotFound(f"vLLM has no model {ref!r}.", param="model", fix="venom list")
        return found[ref]

    # -- answering ---------------------------------------------------------------------------

    @contextlib.asynccontextmanager
    async def lease(self, ref: str) -> AsyncGenerator[Endpoint, None]:
        found = await self._find(ref)
        if found.folder.reason is not None:
            raise found.folder.reason.error()
        model = self._listed_model(found)
        if self.pool.is_loaded(ref):
            start: Callable[[], EngineCommand] = _never
        else:
            interpreter = await asyncio.to_thread(self._interpreters.find)
            start = functools.partial(self._command, found, model, interpreter)
            await self._prepare(found)
        async with self.running(ref, start, model.context_length, self._need(model)) as endpoint:
            self._serving[ref] = found
            yield endpoint

    def _need(self, model: Model) -> int:
        """Return the bytes that a model is expected to take, beside the engine's own."""
        if model.architecture is None or model.memory_plan is None or model.architecture.unknown:
            return model.size_bytes or 0
        plan = replace(model.memory_plan, overhead_bytes=0)
        return needed(model.architecture, plan, model.context_length or 0).total

    def _files_of(self, ref: str) -> Path:
        return self.engines_folder / f"{safe_name(ref)}.files"

    async def _prepare(self, found: FoundFolder) -> None:
        """Make what the engine opens: links to the files that were looked at, and no other file of
        the folder. Once: an engine that starts meanwhile is reading them."""
        async with self._preparing:
            await asyncio.to_thread(found.folder.check_files)
            if self._prepared.get(found.ref) == found.folder.files:
                return
            own = self._files_of(found.ref)
            await asyncio.to_thread(link_files, found.folder.files, own, PLACE)
            self._prepared[found.ref] = found.folder.files

    def _command(self, found: FoundFolder, model: Model, interpreter: Interpreter) -> EngineCommand:
        folder = self.context.data_dir
        launch = Launch(
            found.ref,
            self._files_of(found.ref),
            found.folder.kind == "embedding",
            model.context_length,
            model.size_bytes or 0,
            None if self._template is None else folder / "templates" / self._template,
        )
        name = self.engines_folder / safe_name(found.ref)
        return command(launch, interpreter, self.context.settings, folder, name)

    def chat(self, request: ChatRequest) -> AsyncGenerator[Frame, None]:
        return choices_of(self._chat, request) if alone(request.body) else self._chat(request)

    def complete(self, request: ChatRequest) -> AsyncGenerator[Frame, None]:
        make = self._complete
        return choices_of(make, request) if alone(request.body) else make(request)

    async def _chat(self, request: ChatRequest) -> AsyncGenerator[Frame, None]:
        ask = functools.partial(self._ask_chat, await self._able(request.model, "chat"))
        frames = ask(request) if self._parses_tools else with_tools(request, ask)
        async with contextlib.aclosing(frames) as answer:
            async for frame in answer:
                yield frame

    async def _ask_chat(self, model: Model, request: ChatRequest) -> AsyncGenerator[Frame, None]:
        body = chat_body(request.body, model.context_length)
        if body.get("tools") and not self._parses_tools:
            body["tool_choice"] = "none"  # they are for the model's template; no parser is there
        made = self._sent(request, body)
        async with contextlib.aclosing(self._told(made, super().chat(made))) as frames:
            async for frame in frames:
                yield frame

    async def _complete(self, request: ChatRequest) -> AsyncGenerator[Frame, None]:
        model = await self._able(request.model, "completion")
        made = self._sent(request, completion_body(request.body, model.context_length))
        frames = self._told(made, super().complete(made))
        async with contextlib.aclosing(frames):
            async for frame in frames:
                yield frame

    async def embed(self, request: EmbedRequest) -> Embeddings:
        await self._able(request.model, "embedding")
        return await super().embed(request)

    async def _able(self, ref: str, capability: str) -> Model:
        found = await self._find(ref)
        if found.folder.reason is not None:
            raise found.folder.reason.error()
        model = self._listed_model(found)
        self.require(model, capability)
        return model

    def _sent(self, request: ChatRequest, body: Mapping[str, Any]) -> ChatRequest:
        request.sent.body = body
        return replace(request, body=body)

    async def _told(
        self, request: ChatRequest, frames: AsyncGenerator[Frame, None]
    ) -> AsyncGenerator[Frame, None]:
        """Yield the frames; a refusal is told in the client's words."""
        try:
            async with contextlib.aclosing(frames):
                async for frame in frames:
                    yield frame
        except ContextLengthExceeded as error:
            raise await self._counted(request, error) from error
        except InvalidRequest as error:
            raise in_our_words(error) from error

    async def _counted(
        self, request: ChatRequest, error: ContextLengthExceeded
    ) -> ContextLengthExceeded:
        """Return the refusal of a prompt with the number of its tokens: vLLM reads no further than
        its context, and says that number."""
        names = ("messages", "prompt", "tools", "add_generation_prompt", "continue_final_message")
        body = {name: request.body[name] for name in names if name in request.body}
        try:
            async with self._exchange("/tokenize", request.model, body, request) as response:
                told = loads(await read_bounded(response, MAX_ANSWER_BYTES))
            count = tokens(told["count"], "vllm.count")
            size = tokens(told["max_model_len"], "vllm.max_model_len")
        except (VenomError, ValueError, KeyError, TypeError):
            return error
        return ContextLengthExceeded.counted(count, size, fix=error.fix or "")

    # -- memory ------------------------------------------------------------------------------

    async def unload(self, ref: str) -> None:
        await super().unload((await self._find(ref)).ref)


def _never() -> EngineCommand:
    """Stand where a command is taken and not asked for: the engine runs."""
    raise NotImplementedError
