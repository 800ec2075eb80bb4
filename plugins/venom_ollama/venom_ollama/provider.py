"""The rules of the Ollama provider: what is asked, and what an answer means."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from venom_core.sdk import numbers
from venom_core.sdk.errors import (
    InvalidRequest,
    ModelNotCapable,
    Unavailable,
    UpstreamError,
    UpstreamTimeout,
    VenomError,
)
from venom_core.sdk.frames import Frame
from venom_core.sdk.http import is_loopback, prepare
from venom_core.sdk.messages import ChatRequest, Embeddings, EmbedRequest
from venom_core.sdk.numbers import tokens, vector
from venom_core.sdk.provider import (
    EngineStatus,
    LoadedModel,
    Model,
    Provider,
    ProviderContext,
    PullProgress,
)
from venom_core.sdk.states import Health, ProviderStatus, Reason
from venom_ollama.address import parse_address
from venom_ollama.client import OllamaClient
from venom_ollama.events import Translator
from venom_ollama.graphics import default_context, graphics_memory
from venom_ollama.lines import not_ollama
from venom_ollama.memory import numbers_of
from venom_ollama.models import PROPOSED, canonical, defaults, listed, loaded_model
from venom_ollama.profiles import Setup
from venom_ollama.pulling import PullTracker
from venom_ollama.refusals import does_not_fit, model_not_found, refusal
from venom_ollama.requests import chat_request, completion_request
from venom_ollama.server import OllamaServer, program_of
from venom_ollama.versions import shifts_at_launch, too_old
from venom_ollama.window import Window, fitted, measured, most_tokens

#: What Ollama took as context where nobody said; older versions do not list it.
_OLD_DEFAULT_CONTEXTS = (2048, 4096)
# How long a listing of loaded models is believed: bursts of requests share one look.
_LOADED_SECONDS = 2.0
_DETAILS_AT_ONCE = 4
_Ask = Callable[[Mapping[str, Any], float], AsyncGenerator[dict[str, Any], None]]
# Listing must not wait for details: what comes later is there for the next listing.
_DETAILS_SECONDS = 1.5
#: How long these wait for an Ollama that starts: less than whoever asks waits for them.
HEALTH_SECONDS, LISTING_SECONDS = 1.5, 2.5


@dataclass(frozen=True, slots=True)
class _InMemory:
    """A loaded model: its context, and the digest of the files that were loaded."""

    context: int | None
    digest: str | None


class OllamaProvider(Provider):
    """Ollama through its native API, never through its ``/v1``: only the native one takes
    ``truncate``, ``num_ctx`` and ``keep_alive``."""

    def __init__(self, context: ProviderContext) -> None:
        super().__init__(context)
        self._made: OllamaClient | None = None
        self._server: str | None = None
        self._default_context: int | None = None
        self._setup = Setup(0, None)
        self._engine: OllamaServer | None = None
        self._version: str | None = None
        self._loaded: dict[str, _InMemory] = {}
        self._loaded_at = float("-inf")
        self._digests: dict[str, str] = {}
        self._shown: dict[str, Mapping[str, Any]] = {}

    @property
    def _client(self) -> OllamaClient:
        if self._made is None:
            raise RuntimeError("the provider is not open")
        return self._made

    @property
    def endpoint(self) -> str:
        return parse_address(_text(self.context.settings.get("base_url"))).url

    def canonical(self, ref: str) -> str:
        return canonical(ref)

    async def open(self) -> None:
        """Make the client. Raises Unavailable(invalid_setting) for an address or a duration that
        cannot be used."""
        settings = self.context.settings
        self._setup = Setup.of(settings)
        address = parse_address(_text(settings.get("base_url")))
        self._server = None if is_loopback(address.url) else address.shown
        client = OllamaClient(
            address,
            request_timeout=_seconds(settings.get("request_timeout"), 30.0),
            load_timeout=_seconds(settings.get("load_timeout"), 300.0),
            revive=self._revive,
            program=program_of(settings),
        )
        engine = OllamaServer(
            address, settings, self._setup, self.context.data_dir / "engines", client.answers,
            self._forget,
        )  # fmt: skip
        await engine.open()
        await prepare()
        client.open()
        self._made, self._engine = client, engine

    async def close(self) -> None:
        """Close the client, and end the Ollama that was started here."""
        engine, self._engine = self._engine, None
        if engine is not None:
            await engine.close()
        if self._made is not None:
            await self._made.close()
            self._made = None

    async def health(self) -> Health:
        """Return READY, with a note where the profile applies in part; DEGRADED(ollama_too_old) or
        UNAVAILABLE with what is wrong."""
        try:
            async with self._soon(HEALTH_SECONDS):
                self._version = await self._client.version()
        except VenomError as error:
            self._version = None
            return Health(ProviderStatus.UNAVAILABLE, Reason.of(error))
        if not too_old(self._version):
            note = None if self._own.is_ours else self._setup.note
            return Health(ProviderStatus.READY, note, self._version)
        reason = Reason(
            "ollama_too_old",
            f"Ollama {self._version} cuts prompts that do not fit; each answer is checked for it.",
            "Update Ollama to 0.12.6 or newer: https://ollama.com/download",
        )
        return Health(ProviderStatus.DEGRADED, reason, self._version)

    # The Ollama that Venom starts

    @property
    def _own(self) -> OllamaServer:
        if self._engine is None:
            raise RuntimeError("the provider is not open")
        return self._engine

    async def _revive(self) -> bool:
        return await self._own.revive()

    def _forget(self) -> None:
        self._version = None
        self._loaded, self._loaded_at = {}, float("-inf")

    @contextlib.asynccontextmanager
    async def _soon(self, seconds: float) -> AsyncIterator[None]:
        """Say that Ollama starts where it takes longer than somebody may wait for an answer; the
        start goes on."""
        try:
            async with asyncio.timeout(seconds):
                yield
        except TimeoutError:
            if not self._own.is_starting:
                raise self._client.silent(seconds) from None
            raise Unavailable(
                "Venom is starting Ollama.", code="ollama_starting", fix="Try again in a moment."
            ) from None

    async def engines(self) -> Sequence[EngineStatus]:
        """Return the Ollama that Venom started, from its first start on."""
        return await self._own.statuses()

    async def start_engine(self) -> None:
        """See :meth:`Provider.start_engine`."""
        await self._own.start()

    async def stop_engine(self) -> None:
        """See :meth:`Provider.stop_engine`."""
        await self._own.stop()

    # Answers

    async def chat(self, request: ChatRequest) -> AsyncGenerator[Frame, None]:
        """See :meth:`Provider.chat`. Images come as ``data:`` URLs only."""
        body = chat_request(request.model, request.body)
        translator = Translator(request.model, stream=request.stream)
        async with contextlib.aclosing(self._answer("chat", body, translator, request)) as frames:
            async for frame in frames:
                yield frame

    async def complete(self, request: ChatRequest) -> AsyncGenerator[Frame, None]:
        """See :meth:`Provider.complete`."""
        body = completion_request(request.model, request.body)
        translator = Translator(request.model, stream=request.stream, wire="completion")
        async with contextlib.aclosing(
            self._answer("generate", body, translator, request)
        ) as frames:
            async for frame in frames:
                yield frame

    async def _answer(
        self, verb: str, body: dict[str, Any], translator: Translator, request: ChatRequest
    ) -> AsyncGenerator[Frame, None]:
        version = await self._known_version()
        ask = self._client.chat if verb == "chat" else self._client.generate
        if shifts_at_launch(version):
            translator.window = await self._settle(ask, body, request)
        else:
            body |= await self._per_model(request.model, body.get("options"))
        request.sent.body = body
        async with contextlib.aclosing(ask(body, request.timeout)) as lines:
            async for line in lines:
                if line.get("done") is True and too_old(version):
                    await self._refuse_a_cut_prompt(request.model, line)
                for frame in translator.frames(line):
                    yield frame
        for frame in translator.end():
            yield frame

    async def _settle(self, ask: _Ask, body: dict[str, Any], request: ChatRequest) -> Window | None:
        """Make the body one that loads nothing anew, and whose answer stays inside the context
        (:mod:`venom_ollama.window`). Returns that window; None where it is not known."""
        del body["shift"]
        shown, context = await self._loaded_for(request.model)
        if shown.get("remote_host"):
            return None  # of an engine elsewhere Ollama tells nothing
        options = body.get("options") or {}
        body |= await self._per_model(request.model, options, context)
        if context is None:
            return None
        wanted = options.get("num_predict") or defaults(shown).get("max_tokens")
        window = fitted(wanted, most_tokens(body, str(shown.get("system") or "")), context)
        if window is None:
            count = await self._count_prompt(ask, body, request)
            if count >= context:
                raise does_not_fit(count, context)
            window = measured(wanted, count, context)
        if window.limit is not None:
            body["options"] = {**body.get("options", {}), "num_predict": window.limit}
        return window

    async def _count_prompt(self, ask: _Ask, body: Mapping[str, Any], request: ChatRequest) -> int:
        """Return the tokens of the prompt, by letting one token be made of it. Ollama keeps what it
        computed, so the answer itself begins where this ends."""
        options = {**body.get("options", {}), "num_predict": 1}
        probe = {**body, "options": options, "logprobs": False, "top_logprobs": 0}
        count = 0
        async with contextlib.aclosing(ask(probe, request.timeout)) as lines:
            async for line in lines:
                if "error" in line:
                    raise refusal(200, str(line["error"]), request.model)
                count = tokens(line.get("prompt_eval_count"), "ollama.prompt_eval_count") or count
        return count

    async def _refuse_a_cut_prompt(self, model: str, last: Mapping[str, Any]) -> None:
        """Refuse a prompt that was cut. An Ollama that cuts fills the context with what it kept:
        a prompt that counts as many tokens as the context has was cut, and the answer is to
        something else."""
        count = tokens(last.get("prompt_eval_count"), "ollama.prompt_eval_count") or 0
        limit: int | None = self._setup.context_length
        if not limit:
            found = (await self._in_memory(fresh=True)).get(canonical(model))
            limit = found.context if found else None
        cut = count >= limit if limit else count in _OLD_DEFAULT_CONTEXTS
        if cut:
            raise does_not_fit(None, limit)

    async def embed(self, request: EmbedRequest) -> Embeddings:
        """See :meth:`Provider.embed`."""
        inputs: str | list[str] = list(request.inputs)
        if len(inputs) == 1:
            inputs = inputs[0]
        body: dict[str, Any] = {"model": request.model, "input": inputs, "truncate": False}
        if request.dimensions is not None:
            body["dimensions"] = request.dimensions
        found = (await self._in_memory(fresh=True)).get(canonical(request.model))
        body |= await self._per_model(request.model, None, found.context if found else None)
        answer = await self._client.embed(body, request.timeout)
        return _embeddings(answer, len(request.inputs))

    async def _per_model(
        self, ref: str, options: Mapping[str, Any] | None, context: int | None = None
    ) -> dict[str, Any]:
        """Return what is the same in every request for one model, because a change would reload it:
        the context of the settings, else that of the loaded model, else nothing (Ollama's
        choice). ``context`` is the loaded one where that is known."""
        fields: dict[str, Any] = {}
        if not self._setup.context_length and context is None:
            found = (await self._in_memory()).get(canonical(ref))
            context = found.context if found else None
        if context := self._setup.context_length or context:
            fields["options"] = {**(options or {}), "num_ctx": context}
        if self._setup.keep_alive is not None:
            fields["keep_alive"] = self._setup.keep_alive
        return fields

    async def _loaded_for(self, ref: str) -> tuple[Mapping[str, Any], int | None]:
        """Return the details of a model and the context that it is loaded with, loaded now where it
        was not. Raises what keeps it from being loaded."""
        found = (await self._in_memory(fresh=True)).get(canonical(ref))
        if found is None or found.digest not in self._shown:
            shown = _kept(await self._client.show(ref), None)
            if found is not None and found.digest:
                self._shown[found.digest] = shown
        else:
            shown = self._shown[found.digest]
        if found is None and not shown.get("remote_host"):
            await self._client.load({"model": ref, **self._for_a_load()})
            found = (await self._in_memory(fresh=True)).get(canonical(ref))
        return shown, found.context if found else None

    def _for_a_load(self) -> dict[str, Any]:
        fields: dict[str, Any] = {}
        if self._setup.context_length:
            fields["options"] = {"num_ctx": self._setup.context_length}
        if self._setup.keep_alive:  # zero would unload it at once
            fields["keep_alive"] = self._setup.keep_alive
        return fields

    async def _in_memory(self, *, fresh: bool = False) -> Mapping[str, _InMemory]:
        """Return the loaded models by canonical name. One whose files were replaced since counts
        as not loaded: its context was chosen for the others."""
        if fresh or time.monotonic() - self._loaded_at > _LOADED_SECONDS:
            await self._ps()
        return {
            name: found
            for name, found in self._loaded.items()
            if self._digests.get(name, found.digest) == found.digest
        }

    async def _known_version(self) -> str:
        if self._version is None:
            self._version = await self._client.version()
        return self._version

    # Models

    async def models(self) -> Sequence[Model]:
        """Return installed models with their capabilities, then those proposed that are not
        installed."""
        async with self._soon(LISTING_SECONDS):
            return await self._models()

    async def _models(self) -> Sequence[Model]:
        tags, loaded, *_ = await asyncio.gather(self._client.tags(), self._ps(), self._look())
        self._digests = {canonical(item["name"]): str(item.get("digest")) for item in tags}
        await self._learn(tags)
        in_memory = {canonical(model.ref) for model in loaded}
        models = [self._listed(item, canonical(item["name"]) in in_memory) for item in tags]
        installed = {canonical(model.ref) for model in models}
        return [*models, *(m for m in PROPOSED if canonical(m.ref) not in installed)]

    async def _look(self) -> None:
        """Learn, once, what the fit check counts with: version and graphics memory. Of a machine
        elsewhere the latter is not known."""
        await self._known_version()
        if self._default_context is None:
            memory = 0 if self._server else await graphics_memory()
            self._default_context = default_context(memory)

    async def describe(self, ref: str) -> Model:
        """See :meth:`Provider.describe`."""
        tags, shown, *_ = await asyncio.gather(
            self._client.tags(), self._client.show(ref), self._look()
        )
        for item in tags:
            if canonical(item["name"]) == canonical(ref):
                self._shown[str(item.get("digest"))] = _kept(shown, item.get("size"))
                # Told of one model; to keep it for all would be most of the bytes.
                template = _text(shown.get("template"))
                return replace(self._listed(item, None), prompt_template=template)
        raise model_not_found(ref)

    def _listed(self, item: Mapping[str, Any], loaded: bool | None) -> Model:
        shown = self._shown.get(str(item.get("digest")))
        found = self._loaded.get(canonical(item["name"]))
        return listed(
            item,
            shown,
            loaded,
            self._setup.context_length or (found.context if found else None),
            self._server,
            default_context=self._default_context,
            by_llama_server=shifts_at_launch(self._version or ""),
        )

    async def _learn(self, tags: Sequence[Mapping[str, Any]]) -> None:
        """Ask for the details of models not seen before. A model whose details cannot be had is
        listed without them: a damaged one must not hide the others."""
        at_once = asyncio.Semaphore(_DETAILS_AT_ONCE)

        async def learn(item: Mapping[str, Any]) -> None:
            async with at_once:
                try:
                    shown = await self._client.show(item["name"])
                except (Unavailable, UpstreamTimeout):
                    return  # asked again with the next listing
                except VenomError as error:
                    self.context.logger.info("no details of %s: %s", item["name"], error.code)
                    shown = {}
                self._shown[str(item.get("digest"))] = _kept(shown, item.get("size"))

        unknown = [item for item in tags if str(item.get("digest")) not in self._shown]
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_DETAILS_SECONDS):
                await asyncio.gather(*(learn(item) for item in unknown))

    async def ps(self) -> Sequence[LoadedModel]:
        """See :meth:`Provider.ps`."""
        async with self._soon(LISTING_SECONDS):
            return await self._ps()

    async def _ps(self) -> Sequence[LoadedModel]:
        items = await self._client.ps()
        loaded = [loaded_model(item) for item in items]
        self._loaded = {
            canonical(model.ref): _InMemory(model.context_length, _text(item.get("digest")))
            for model, item in zip(loaded, items, strict=True)
        }
        self._loaded_at = time.monotonic()
        return loaded

    async def load(self, ref: str) -> None:
        """See :meth:`Provider.load`. With what every later request says too: nothing more, or that
        request would load it anew."""
        found = (await self._in_memory(fresh=True)).get(canonical(ref))
        context = found.context if found else None
        body = {"model": ref, **self._for_a_load()}
        if context and not self._setup.context_length:
            body["options"] = {"num_ctx": context}
        self._loaded_at = float("-inf")
        try:
            await self._client.load(body)
        except ModelNotCapable:
            await self._client.load_for_embedding(body)

    async def unload(self, ref: str) -> None:
        """See :meth:`Provider.unload`. Answers that run go on to their end."""
        self._loaded_at = float("-inf")
        body = {"model": ref, "keep_alive": 0}
        try:
            await self._client.load(body)
        except ModelNotCapable:
            await self._client.load_for_embedding(body)

    async def pull(self, ref: str) -> AsyncGenerator[PullProgress, None]:
        """See :meth:`Provider.pull`. Ollama keeps a broken pull and goes on from there."""
        tracker = PullTracker(ref)
        async with contextlib.aclosing(self._client.pull(ref)) as lines:
            async for line in lines:
                yield tracker.step(line)
        tracker.end()

    async def remove(self, ref: str) -> None:
        """See :meth:`Provider.remove`."""
        await self._client.delete(ref)


def _embeddings(answer: Mapping[str, Any], count: int) -> Embeddings:
    vectors = answer.get("embeddings")
    if not isinstance(vectors, list):
        raise not_ollama()
    if not vectors and count:
        raise InvalidRequest("An empty text has no embedding.", param="input")
    if len(vectors) != count:
        raise UpstreamError(f"Ollama gave {len(vectors)} vectors for {count} texts.")
    found = [vector(one, "ollama.vector") for one in vectors]
    if None in found:
        raise not_ollama()
    counted = tokens(answer.get("prompt_eval_count"), "ollama.prompt_eval_count")
    return Embeddings(tuple(one for one in found if one is not None), counted or 0)


def _kept(shown: Mapping[str, Any], size: Any) -> Mapping[str, Any]:
    """Return the details that are used; the list of tensors and the templates are most of the
    bytes."""
    names = ("capabilities", "parameters", "model_info", "license", "system", "remote_host")
    kept = {name: shown[name] for name in names if name in shown}
    return {**kept, "numbers": numbers_of(shown, numbers.size(size, "ollama.model.size"))}


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _seconds(value: Any, default: float) -> float:
    return float(value) if isinstance(value, int | float) and value > 0 else default
