"""The embedded provider: which models there are, which engine serves each, how they are fetched."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import hashlib
import json
from collections import defaultdict
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from pathlib import Path
from shlex import quote
from typing import Any, cast

from venom_core.sdk import EngineCommand
from venom_core.sdk.bounded_json import loads
from venom_core.sdk.disk import discard, safe_name
from venom_core.sdk.distributions import module_version
from venom_core.sdk.errors import (
    EngineMissing,
    EngineUnreachable,
    InvalidRequest,
    ModelNotFound,
    NotSupported,
    UnsupportedParameter,
    UpstreamError,
    VenomError,
)
from venom_core.sdk.frames import Frame
from venom_core.sdk.hub_files import default_cache
from venom_core.sdk.joined_answers import choices_of
from venom_core.sdk.machine import engine_threads
from venom_core.sdk.messages import ChatRequest, Embeddings, EmbedRequest, Reranked, RerankRequest
from venom_core.sdk.openai_engine import Endpoint, read_bounded
from venom_core.sdk.pooled_engine import PooledEngineProvider
from venom_core.sdk.prefill import beginning_of
from venom_core.sdk.provider import (
    Model,
    ProviderContext,
    PullPlan,
    PullProgress,
)
from venom_core.sdk.stream_reader import MAX_ANSWER_BYTES
from venom_core.sdk.tool_emulation import with_tools
from venom_llamacpp.additions import Additions
from venom_llamacpp.completion_logprobs import in_completion_shape
from venom_llamacpp.files import CachedFiles, LocalFiles
from venom_llamacpp.grammar import check_grammar
from venom_llamacpp.headers import Headers
from venom_llamacpp.hub import Hub, hub_reference, listed_name
from venom_llamacpp.infill import Infill
from venom_llamacpp.lengths import Post, check_inputs
from venom_llamacpp.load_failures import load_failure, parts_missing
from venom_llamacpp.local_catalogue import ENCODERS, LocalCatalogue, ServableModel, answers, ranks
from venom_llamacpp.memory import memory_plan, reordered_bytes
from venom_llamacpp.pulls import Pulls
from venom_llamacpp.reranking import rerank
from venom_llamacpp.schema_refusals import held_to_form
from venom_llamacpp.store import ModelStore
from venom_llamacpp.stuck_engines import StuckEngines
from venom_llamacpp.trim import trimmed

ENGINE_SCRIPT = Path(__file__).with_name("engine.py")
ENGINE_MODULE = "xllamacpp"
# An input to embed is one batch of the engine, which takes memory by the token.
EMBED_TOKENS = 1024
LOAD_TIMEOUT = 300.0
UNFINISHED = "primed.part.bin"
#: A model that answers has an engine of its own for embeddings: they would wait for whole answers,
#: and texts that share a batch get each other's part of the mean.
ANSWERS, EMBEDDINGS, RANKING = "", "embeddings", "ranking"
EMBEDDING_PATHS = frozenset({"/v1/embeddings", "/tokenize"})
CHAT_ONLY = ("top_logprobs", "response_format")


class LlamaCppProvider(PooledEngineProvider):
    """llama.cpp, one process for each model in use."""

    def __init__(self, context: ProviderContext) -> None:
        settings = context.settings
        super().__init__(
            context,
            max_loaded=cast(int, settings["max_loaded"]),
            keep_alive=cast(int, settings["keep_alive"]),
        )
        self._parallel = cast(int, settings["parallel"])
        self._threads = engine_threads(cast(int, settings["threads"]))
        self._store = ModelStore(context.models_dir / "llamacpp")
        files = LocalFiles(cast("tuple[str, ...]", settings["model_paths"] or ()))
        cache = cast("str | None", settings["hub_cache"])
        cached = CachedFiles([cache or str(default_cache())])
        self._catalogue = LocalCatalogue(
            self._store, files, cached, cast(int, settings["context_length"])
        )
        hub = Hub(cast(str, settings["hf_endpoint"]), cast("str | None", settings["hf_token"]))
        self._headers = Headers(hub)
        self._stuck = StuckEngines()
        self._infill = Infill()
        self._pulls = Pulls(self._store, hub)
        self._additions = Additions.of(
            cast("tuple[str, ...]", settings["draft_models"] or ()),
            cast("tuple[str, ...]", settings["lora_adapters"] or ()),
        )
        self._serving: dict[str, ServableModel] = {}
        #: Model -> the engine's address, and the file of the state that it was seen to restore.
        self._warmed_up: dict[str, tuple[str, str]] = {}
        self._chat_locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    def look_for_engine(self) -> str:
        version = engine_version()
        if version is None:
            raise engine_missing()
        return version

    async def models(self) -> Sequence[Model]:
        served = await asyncio.to_thread(self._catalogue.all)
        return [self._listed_model(item) for item in served.values()]

    async def describe(self, ref: str) -> Model:
        """Describe a model; a file of Hugging Face that is not fetched yet, by its header."""
        try:
            served = await self._find(ref)
        except ModelNotFound:
            if (hub := hub_reference(ref)) is None:
                raise
            file, header = await self._headers.of_hub(hub)
            served = self._catalogue.offered(listed_name(hub), file, header)
        else:
            if served.numbers is not None or served.path is None:
                return replace(self._listed_model(served), prompt_template=served.template)
            header = await self._headers.of_file(served.path)
        reordered = reordered_bytes(header.tensors)
        model = self._listed_model(replace(served, numbers=header.numbers, reordered=reordered))
        return replace(model, prompt_template=served.template or header.chat_template)

    def _listed_model(self, served: ServableModel) -> Model:
        model = replace(served.model, loaded=self.pool.is_loaded(served.model.ref))
        if served.numbers is None:
            return model
        plan = memory_plan(
            served.numbers.vocabulary,
            served.reordered,
            context=self._catalogue.context_of(served.trained_context),
            parallel=self._parallel_of(served),
            batch=self._batch_of(served),
            embeds=not answers(model),
        )
        return replace(model, architecture=served.numbers, memory_plan=plan)

    def _parallel_of(self, served: ServableModel) -> int:
        return 1 if served.warm_up else self._parallel

    def _batch_of(self, served: ServableModel) -> int:
        context = self._catalogue.context_of(served.trained_context)
        encoder = served.model.details.get("architecture") in ENCODERS
        return context if encoder or ranks(served.model) else min(context, EMBED_TOKENS)

    async def _find(self, ref: str) -> ServableModel:
        if ref in self._serving and self.pool.is_loaded(ref):
            return self._serving[ref]  # a request to a running engine needs no look at the disk
        served = await asyncio.to_thread(self._catalogue.all)
        if ref not in served and (hub := hub_reference(ref)):
            ref = listed_name(hub)
        if ref not in served:
            raise ModelNotFound(
                f"The embedded engine has no model {ref!r}.", param="model", fix="venom list"
            )
        return served[ref]

    # -- answering ---------------------------------------------------------------------------

    def lease(self, ref: str) -> AbstractAsyncContextManager[Endpoint]:
        return self._lease(ref, ANSWERS)

    def lease_for(self, ref: str, path: str) -> AbstractAsyncContextManager[Endpoint]:
        return self._lease(ref, EMBEDDINGS if path in EMBEDDING_PATHS else ANSWERS)

    @contextlib.asynccontextmanager
    async def _lease(self, ref: str, purpose: str) -> AsyncGenerator[Endpoint, None]:
        served = await self._find(ref)
        if served.path is None:
            await asyncio.to_thread(self.look_for_engine)  # told before what is not fetched
            raise ModelNotFound(
                f"The model {ref!r} is not fetched yet.",
                param="model",
                fix=f"Fetch it with: venom pull {quote(ref)}",
            )
        model = served.model
        if served.missing:
            await asyncio.to_thread(self.look_for_engine)
            raise parts_missing(model.ref, served.missing)
        self._additions.check()
        if model.ref in self._additions.drafts and not self.pool.is_loaded(model.ref):
            others = await asyncio.to_thread(self._catalogue.all)
            served = await self._additions.with_draft(served, others, self._headers)
        if not answers(model):
            purpose = RANKING if ranks(model) else EMBEDDINGS
        context = model.context_length if purpose is ANSWERS else self._batch_of(served)
        running = functools.partial(
            self.running,
            model.ref,
            functools.partial(self._command, served, purpose),
            context or 0,
            model.size_bytes or 0,
            purpose,
        )
        if purpose is ANSWERS and self._stuck.may_be(model.ref):
            await self._end_if_stuck(model.ref, running)
        async with running() as endpoint:
            self._serving[model.ref] = served
            yield endpoint

    async def _end_if_stuck(
        self, ref: str, running: Callable[[], AbstractAsyncContextManager[Endpoint]]
    ) -> None:
        async def ask(patience: float) -> None:
            # What is set is what was set at its start: only that it is heard matters.
            scales = [{"id": place, "scale": 1.0} for place in range(len(adapters))]
            async with running() as endpoint:
                await self._post_json(endpoint, "/lora-adapters", cast(Any, scales), patience)

        adapters = self._additions.adapters_of(ref)
        runs = self.pool.is_loaded(ref, ANSWERS)
        if await self._stuck.is_stuck(ref, ask if runs else None):
            self.context.logger.warning("the engine of %s was stuck; it is ended", ref)
            await self.pool.unload(ref)

    def _configuration(self, served: ServableModel, purpose: str) -> dict[str, Any]:
        embeds, batch = purpose != ANSWERS, self._batch_of(served)
        saves = served.warm_up is not None and not embeds
        return {
            "path": str(served.path),
            "alias": served.model.ref,
            "context_length": batch
            if embeds
            else self._catalogue.context_of(served.trained_context),
            "parallel": 1 if embeds else self._parallel_of(served),
            "threads": self._threads,
            "batch": batch,
            "embeds": embeds,
            "pooling": "rank" if purpose == RANKING else "own" if served.own_pooling else "mean",
            "template": None if embeds else served.template,
            "slot_folder": str(self._slot_folder(served)) if saves else None,
            "gpu_layers": self.context.settings["gpu_layers"],
            "draft": None if embeds else served.draft,
            "draft_tokens": self.context.settings["draft_tokens"],
            "adapters": self._additions.adapters_of(served.model.ref),
        }

    def _slot_folder(self, served: ServableModel) -> Path:
        return self.engines_folder / f"{safe_name(served.model.ref)}.slot"

    def _command(self, served: ServableModel, purpose: str) -> EngineCommand:
        model, folder = served.model, self.engines_folder
        name = "-".join(part for part in (safe_name(model.ref), purpose) if part)
        return EngineCommand(
            name=f"llama.cpp ({', '.join(part for part in (model.ref, purpose) if part)})",
            args=(str(ENGINE_SCRIPT),),
            model=model.ref,
            log_file=folder / f"{name}.log",
            pid_file=folder / f"{name}.pid",
            env={"VENOM_LLAMACPP_ENGINE": json.dumps(self._configuration(served, purpose))},
            ready_timeout=60.0 + (model.size_bytes or 0) / 20e6,
            stop_timeout=3.0,
            explain=functools.partial(load_failure, model.ref, served.removable),
        )

    def chat(self, request: ChatRequest) -> AsyncGenerator[Frame, None]:
        return choices_of(self._choice, request)

    async def _choice(self, request: ChatRequest) -> AsyncGenerator[Frame, None]:
        served = await self._find(request.model)
        self.require(served.model, "chat")
        await check_grammar(request.body)
        frames = with_tools(request, self._held_to_form)
        if served.trim and not beginning_of(request.body["messages"]):
            frames = trimmed(frames)
        async with contextlib.aclosing(frames) as answer:
            async for frame in answer:
                yield frame

    def _held_to_form(self, request: ChatRequest) -> AsyncGenerator[Frame, None]:
        ask = functools.partial(self._chat, last=False)
        return held_to_form(ask, request, self._stuck)

    async def _chat(self, request: ChatRequest, *, last: bool) -> AsyncGenerator[Frame, None]:
        served = await self._find(request.model)
        try:
            async with (
                self._exclusive_chat(served, request.timeout),
                contextlib.aclosing(super().chat(request)) as frames,
            ):
                async for frame in frames:
                    yield frame
        except EngineUnreachable:
            # Nothing was asked of it yet: its end became known by the refused connection.
            if last:
                raise
            async with contextlib.aclosing(self._chat(request, last=True)) as frames:
                async for frame in frames:
                    yield frame

    @contextlib.asynccontextmanager
    async def _exclusive_chat(
        self, served: ServableModel, timeout: float
    ) -> AsyncGenerator[None, None]:
        """Hold a model for one chat where it has a warm-up question: it has one slot and takes one
        at a time, each from the state in which its template, and nothing else, was read."""
        if served.warm_up is None:
            yield
            return
        async with self._chat_locks[served.model.ref], self.lease(served.model.ref) as endpoint:
            address, file = self._warmed_up.get(served.model.ref, ("", ""))
            if address != endpoint.base_url:
                file = await asyncio.to_thread(self._state_file, served)
            if not await self._restore_state(served, endpoint, file, timeout):
                await self._warm_up(served, endpoint, file, timeout)
            self._warmed_up[served.model.ref] = endpoint.base_url, file
            yield

    def _state_file(self, served: ServableModel) -> str:
        """Return a file named after everything that the state comes from: one that an earlier
        engine left is as good as new, and one of other weights, settings or another engine is never
        taken up."""
        origin = (self._configuration(served, ANSWERS), served.model.digest, served.warm_up)
        text = json.dumps([*origin, dict(served.model.defaults), engine_version()])
        return f"primed-{hashlib.sha256(text.encode()).hexdigest()[:16]}.bin"

    async def _restore_state(
        self, served: ServableModel, endpoint: Endpoint, file: str, timeout: float
    ) -> bool:
        if not await asyncio.to_thread((self._slot_folder(served) / file).exists):
            return False
        try:
            await self._post_json(endpoint, "/slots/0?action=restore", {"filename": file}, timeout)
        except (InvalidRequest, UpstreamError) as error:
            self.context.logger.warning("a warmed-up state was not restored: %s", error.message)
            return False
        return True

    async def _warm_up(
        self, served: ServableModel, endpoint: Endpoint, file: str, timeout: float
    ) -> None:
        body = {
            **served.model.defaults,
            "messages": [{"role": "user", "content": served.warm_up}],
            "max_tokens": 1,
            "cache_prompt": False,
        }
        await self._post_json(endpoint, "/v1/chat/completions", body, timeout)
        folder = self._slot_folder(served)
        await asyncio.to_thread(_clear, folder)
        # The engine takes a file that was cut short for a whole one: only a whole one has the name.
        await self._post_json(endpoint, "/slots/0?action=save", {"filename": UNFINISHED}, timeout)
        await asyncio.to_thread((folder / UNFINISHED).replace, folder / file)

    async def _post_json(
        self, endpoint: Endpoint, path: str, body: Mapping[str, Any], timeout: float
    ) -> Any:
        async with self._post(endpoint, path, body, "venom", timeout) as response:
            return loads(await read_bounded(response, MAX_ANSWER_BYTES))

    def complete(self, request: ChatRequest) -> AsyncGenerator[Frame, None]:
        return choices_of(self._completion, request)

    async def _completion(self, request: ChatRequest) -> AsyncGenerator[Frame, None]:
        self.require((await self._find(request.model)).model, "completion")
        for name in CHAT_ONLY:
            if request.body.get(name):
                raise UnsupportedParameter(
                    f"llama.cpp honours {name!r} in chats only.",
                    param=name,
                    fix="Send it to /v1/chat/completions, or leave it out.",
                )
        await check_grammar(request.body)
        if request.body.get("suffix"):
            request = await self._with_suffix(request)
        frames = held_to_form(super().complete, request, self._stuck)
        if request.body.get("logprobs"):
            frames = in_completion_shape(frames)
        async with contextlib.aclosing(frames):
            async for frame in frames:
                yield frame

    async def _with_suffix(self, request: ChatRequest, *, last: bool = False) -> ChatRequest:
        """Return the request with prompt and suffix in one prompt of tokens."""

        async def post(path: str, body: Mapping[str, Any]) -> Any:
            return await self._post_json(endpoint, path, body, request.timeout)

        try:
            async with self.lease(request.model) as endpoint:
                prompt = await self._infill.prompt(
                    request.model, endpoint.base_url, post, request.body
                )
        except EngineUnreachable:
            if last:
                raise
            return await self._with_suffix(request, last=True)
        body = {name: value for name, value in request.body.items() if name != "suffix"}
        request.sent.body = made = {**body, "prompt": prompt}
        return replace(request, body=made)

    async def embed(self, request: EmbedRequest) -> Embeddings:
        served = await self._find(request.model)
        self.require(served.model, "embedding")
        limit = served.model.context_length or EMBED_TOKENS
        if served.model.details.get("architecture") not in ENCODERS:
            limit = min(limit, EMBED_TOKENS)
        await check_inputs(request.inputs, limit, self._poster(request))
        return await super().embed(request)

    async def rerank(self, request: RerankRequest) -> Reranked:
        served = await self._find(request.model)
        self.require(served.model, "rerank")
        return await rerank(request, self._batch_of(served), self._poster(request))

    def _poster(self, request: EmbedRequest | RerankRequest) -> Post:
        async def post(path: str, body: Mapping[str, Any]) -> Any:
            async with self._exchange(path, request.model, body, request) as response:
                return loads(await read_bounded(response, MAX_ANSWER_BYTES))

        return post

    # -- memory ------------------------------------------------------------------------------

    async def load(self, ref: str) -> None:
        async with self.lease(ref), self._exclusive_chat(await self._find(ref), LOAD_TIMEOUT):
            return

    async def unload(self, ref: str) -> None:
        await super().unload((await self._find(ref)).model.ref)

    # -- files -------------------------------------------------------------------------------

    async def plan_pull(self, ref: str) -> PullPlan:
        return await self._pulls.plan(ref)

    async def forget_pull(self, ref: str) -> None:
        await self._pulls.forget(ref)

    def pull(self, ref: str) -> AsyncGenerator[PullProgress, None]:
        return self._pulls.pull(ref)

    async def remove(self, ref: str) -> None:
        served = await self._find(ref)
        if served.path is None:
            raise ModelNotFound(
                f"The model {ref!r} is not installed.", param="name", fix="venom list"
            )
        if not served.removable:
            raise NotSupported(
                f"{ref} is a file that the embedded engine serves and does not own.",
                fix="Delete it where it lies: a folder of model_paths, or the Hugging Face cache.",
            )
        await self.pool.unload(served.model.ref)
        await asyncio.to_thread(self._store.remove, served.model.ref)


def _clear(folder: Path) -> None:
    """Remove the states that nothing can go on from any more."""
    for file in folder.glob("primed*.bin"):
        discard(file)


def engine_missing() -> VenomError:
    return EngineMissing(
        "The embedded engine (xllamacpp) is not installed.", fix="venom plugins install llamacpp"
    )


def engine_version() -> str | None:
    """Return the installed engine's version; None where there is none."""
    return module_version(ENGINE_MODULE)
