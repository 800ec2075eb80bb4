"""The only door to a model: for ``/v1``, the CLI and whatever comes later."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypeVar

from venom_core.accounting.quotas import Quotas
from venom_core.chat.admission import Admission
from venom_core.chat.asked import Asked
from venom_core.chat.checks import (
    check_capable,
    check_messages,
    check_tools,
    with_callable_tools,
    with_known_roles,
    with_system,
)
from venom_core.chat.limits import Limits
from venom_core.chat.parameters import (
    apply_policy,
    as_the_client_said,
    check_embedding_parameters,
    check_override,
    check_rerank_parameters,
    merge_generation,
    wire_defaults,
)
from venom_core.chat.prompts import check_tokens, completions, texts
from venom_core.chat.stream import Account, ChatStream
from venom_core.models.registry import ListedModel, ModelRegistry
from venom_core.models.roles import Role
from venom_core.plugins.access import ProviderAccess
from venom_core.sdk.errors import InvalidRequest, ModelNotCapable, VenomError
from venom_core.sdk.frames import Wire
from venom_core.sdk.hookspecs import ObservedEvent
from venom_core.sdk.messages import ChatRequest, Embeddings, EmbedRequest, Reranked, RerankRequest
from venom_core.sdk.provider import Provider
from venom_core.sdk.spec import Capability, ProviderSpec

#: Seconds between two looks whether requests have ended.
DRAIN_POLL = 0.02
#: Hears of a place in the queue.
Queued = Callable[[ChatStream, int], None]
#: Who reads a model's calls of tools: ``native`` its engine, ``emulated`` Venom.
ToolReader = Literal["native", "emulated"]
#: What a request asks for, as events name it.
Operation = Literal["chat", "completion", "embed", "rerank"]
#: An answer that is numbers, and counts the tokens that were read for them.
Measured = TypeVar("Measured", Embeddings, Reranked)


@dataclass(frozen=True, slots=True)
class ChatCall:
    """A request as it came in.

    Args:
        model: a reference, a bare name, or None: then one is chosen, and said.
        body: the validated OpenAI body.
        key_id: the API key's id, for the ledger; never the key.
        system: a system prompt for models whose template takes one; others answer without it.
        tools: who reads the model's calls of tools, where the choice is the model's: its engine, or
            Venom; None leaves it to what the model's self-test saw.
        traceparent: the client's place in a trace, for observers; well-formed.
    """

    model: str | None
    body: Mapping[str, Any]
    request_id: str
    wire: Wire = "chat"
    stream: bool = False
    include_usage: bool = False
    key_id: str | None = None
    system: str | None = None
    tools: ToolReader | None = None
    traceparent: str | None = None


@dataclass(frozen=True, slots=True)
class Embedded:
    """Vectors, the model that made them, and the parameters ignored under the policy ``warn``."""

    resolved: ListedModel
    embeddings: Embeddings
    left_out: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Ranked:
    """Scores of texts, the model that gave them, and the parameters ignored under ``warn``."""

    resolved: ListedModel
    documents: tuple[str, ...]
    reranked: Reranked
    left_out: tuple[str, ...]


@dataclass(slots=True)
class _Asking:
    """The caller of a request, and what it asks for as far as that is known."""

    operation: Operation
    request_id: str
    key_id: str | None
    traceparent: str | None = None
    resolved: ListedModel | None = None
    taken: bool = False
    began: float = field(default_factory=time.monotonic)

    def refused(self, error: BaseException) -> ObservedEvent:
        """Report a request that ended before a provider was asked."""
        code = "internal_error" if isinstance(error, Exception) else "client_gone"
        if isinstance(error, VenomError):
            code = error.code
        seconds = time.monotonic() - self.began
        return ObservedEvent("request.refused", self.told(code, seconds))

    def told(self, code: str | None, seconds: float) -> dict[str, Any]:
        """Return what the events of every request say."""
        # The name that the client sent is its own words: only names of ours are told.
        known = self.resolved
        return {
            "request_id": self.request_id,
            "key_id": self.key_id,
            "operation": self.operation,
            "provider": None if known is None else known.provider,
            "model": None if known is None else known.model.ref,
            "runs_at": None if known is None else known.model.runs_at,
            "code": code,
            "duration_seconds": seconds,
            "traceparent": self.traceparent,
        }


async def no_native_tools(item: ListedModel) -> bool:
    """Return that no self-test saw an engine read a model's own calls, where none is kept."""
    return False


async def no_overrides(item: ListedModel) -> Mapping[str, Any]:
    """Return no overrides, where nothing is stored."""
    return {}


@dataclass(slots=True)
class ChatService:
    """Resolve, check, merge, admit, await the first frame, then give guarded frames.

    ``choose`` picks the model of a role where none is named and says why; ``check_allowed`` raises
    where the profile lets no model run; ``report`` hands an event to the observers without waiting
    for them; ``overrides`` gives the stored generation parameters of a model, from memory,
    ``native_tools`` whether its self-test saw its engine read its own calls of tools; ``quotas``
    are the limits of the keys.
    """

    host: ProviderAccess
    registry: ModelRegistry
    limits: Limits
    choose: Callable[[Role], Awaitable[tuple[ListedModel, str]]]
    check_allowed: Callable[[], None]
    report: Callable[[ObservedEvent], None]
    quotas: Quotas
    overrides: Callable[[ListedModel], Awaitable[Mapping[str, Any]]] = no_overrides
    native_tools: Callable[[ListedModel], Awaitable[bool]] = no_native_tools
    _gates: dict[str, Admission] = field(default_factory=dict)

    async def open(self, call: ChatCall, queued: Queued | None = None) -> ChatStream:
        """Accept a chat or completion: returns once the first frame is there.

        Raises a ``VenomError`` for every refusal; nothing has been sent to the client by then.

        Args:
            queued: called with the place in the queue, as ``Admission.enter`` tells it, and with
                the stream to be: its facts are known, its frames are not there.
        """
        asking = _Asking(call.wire, call.request_id, call.key_id, call.traceparent)
        with self._refusals_told(asking):
            stream = await self._admitted(call, asking, queued)
        await stream.begin()
        return stream

    async def _admitted(
        self, call: ChatCall, asking: _Asking, queued: Callable[[ChatStream, int], None] | None
    ) -> ChatStream:
        """Do everything that can refuse a request before a provider is asked."""
        resolved, because = await self._resolve(call.model)
        asking.resolved = resolved
        self.quotas.check_model(call.key_id, resolved)
        capability = "chat" if call.wire == "chat" else "completion"
        check_capable(resolved, capability)
        spec = self.host.specs()[resolved.provider]
        policy = self.limits.policy
        uncalled: tuple[str, ...] = ()
        if call.wire == "chat":
            meant = with_known_roles(resolved, call.body)
            meant = with_callable_tools(resolved, meant, spec.parameters)
            if call.system:
                meant = with_system(resolved, meant, call.system)
            check_messages(resolved, meant)
            meant, uncalled = check_tools(resolved, meant, policy)
            call = replace(call, body=meant)
        self._require(spec, Capability.CHAT if call.wire == "chat" else Capability.COMPLETE)
        body, left_out = apply_policy(
            call.body,
            spec.parameters,
            policy,
            model=resolved.reference,
            passes_on=spec.passes_on,
        )
        override, stale = check_override(
            await self.overrides(resolved),
            spec.parameters,
            policy,
            model=resolved.reference,
        )
        defaults = resolved.model.defaults
        applied = defaults if resolved.model.applies_defaults else {}
        own = defaults if call.wire == "chat" and not applied else {}
        wire = wire_defaults(call.wire, spec.parameters)
        origins = merge_generation(body, call.body, override, own, wire, applied)
        if spec.passes_on:
            as_the_client_said(body, origins, call.body)
        body["stream"] = call.stream
        gate = self._gate(resolved.provider)
        with gate.coming():
            self.check_allowed()  # once more: what is let through here is waited for
            provider = await self.host.provider(resolved.provider)
            request = ChatRequest(
                model=resolved.model.ref,
                body=body,
                stream=call.stream,
                request_id=call.request_id,
                timeout=self.limits.answer_timeout,
                native_tools=bool(body.get("tools")) and await self._reads_tools(call, resolved),
            )
            ask = provider.chat
            if call.wire == "completion":
                prompts = texts(body["prompt"])
                check_tokens(prompts, "prompt", spec, resolved.reference)
                ask = functools.partial(completions, provider.complete, prompts=prompts)
            await self._take(asking)

            def on_end(account: Account) -> None:
                gate.leave(time.monotonic() - account.started)
                self.quotas.spend(call.key_id, account.tokens)
                self.report(_finished(asking, stream))

            stream = ChatStream(
                resolved=resolved,
                chosen_because=because,
                asked=Asked(ask, request, origins, (*uncalled, *left_out, *stale), policy),
                applied=applied,
                include_usage=call.include_usage,
                on_end=on_end,
            )
            await gate.enter(None if queued is None else functools.partial(queued, stream))
        return stream

    async def _reads_tools(self, call: ChatCall, resolved: ListedModel) -> bool:
        if call.tools is not None:
            return call.tools == "native"
        return await self.native_tools(resolved)

    async def pick(
        self, role: Role, request_id: str, key_id: str | None, traceparent: str | None = None
    ) -> ListedModel:
        """Return the model that would answer for a role, which the key may use; a refusal counts as
        one of a request."""
        operation: Operation = "embed" if role == "embedding" else "chat"
        asking = _Asking(operation, request_id, key_id, traceparent)
        with self._refusals_told(asking):
            resolved, _ = await self._resolve(None, role)
            asking.resolved = resolved
            self.quotas.check_model(key_id, resolved)
        return resolved

    async def foreseen(self, role: Role, key_id: str | None) -> ListedModel:
        """Return the model that :meth:`pick` would return now; nothing is counted."""
        resolved, _ = await self._resolve(None, role)
        self.quotas.check_model(key_id, resolved)
        return resolved

    async def embed(
        self,
        body: Mapping[str, Any],
        request_id: str,
        key_id: str | None = None,
        traceparent: str | None = None,
    ) -> Embedded:
        """Embed the texts of a validated OpenAI body."""
        asking = _Asking("embed", request_id, key_id, traceparent)
        with self._refusals_told(asking):
            resolved, provider, request, left_out = await self._admitted_embedding(body, asking)
        answer = await self._measured(asking, "embed.finished", provider.embed(request))
        return Embedded(resolved, answer, left_out)

    async def rerank(
        self,
        body: Mapping[str, Any],
        request_id: str,
        key_id: str | None = None,
        traceparent: str | None = None,
    ) -> Ranked:
        """Score the documents of a validated rerank body."""
        asking = _Asking("rerank", request_id, key_id, traceparent)
        with self._refusals_told(asking):
            resolved, provider, request, left_out = await self._admitted_ranking(body, asking)
        answer = await self._measured(asking, "rerank.finished", provider.rerank(request))
        return Ranked(resolved, request.documents, answer, left_out)

    async def _measured(self, asking: _Asking, name: str, answer: Awaitable[Measured]) -> Measured:
        """Await an answer that is numbers; its end is told and paid for, whatever it is."""
        assert asking.resolved is not None
        gate = self._gate(asking.resolved.provider)
        entered = time.monotonic()
        tokens: int | None = None
        code: str | None = "internal_error"
        try:
            found = await answer
            tokens, code = found.prompt_tokens, None
            return found
        except VenomError as error:
            code = error.code
            raise
        except asyncio.CancelledError:
            code = "client_gone"
            raise
        finally:
            seconds = time.monotonic() - entered
            gate.leave(seconds)
            self.quotas.spend(asking.key_id, tokens or 0)
            told = asking.told(code, seconds)
            self.report(ObservedEvent(name, {**told, "prompt_tokens": tokens}))

    async def _admitted_embedding(
        self, body: Mapping[str, Any], asking: _Asking
    ) -> tuple[ListedModel, Provider, EmbedRequest, tuple[str, ...]]:
        resolved, _ = await self._resolve(body.get("model"), "embedding")
        asking.resolved = resolved
        self.quotas.check_model(asking.key_id, resolved)
        check_capable(resolved, "embedding")
        spec = self.host.specs()[resolved.provider]
        self._require(spec, Capability.EMBED)
        inputs = texts(body["input"])
        check_tokens(inputs, "input", spec, resolved.reference)
        left_out = check_embedding_parameters(
            body, spec.parameters, self.limits.policy, model=resolved.reference
        )
        request = EmbedRequest(
            resolved.model.ref,
            tuple(text for text in inputs if isinstance(text, str)),
            asking.request_id,
            body.get("dimensions"),
            tokens=tuple(text for text in inputs if not isinstance(text, str)),
        )
        return resolved, await self._entered(asking, resolved), request, left_out

    async def _admitted_ranking(
        self, body: Mapping[str, Any], asking: _Asking
    ) -> tuple[ListedModel, Provider, RerankRequest, tuple[str, ...]]:
        if not body.get("model"):
            raise InvalidRequest(
                "No model is named, and none reranks by default.",
                param="model",
                fix="Name a model that reranks: venom list",
            )
        resolved, _ = await self._resolve(body["model"])
        asking.resolved = resolved
        self.quotas.check_model(asking.key_id, resolved)
        check_capable(resolved, "rerank")
        self._require(self.host.specs()[resolved.provider], Capability.RERANK)
        left_out = check_rerank_parameters(body, self.limits.policy, model=resolved.reference)
        documents = tuple(one if isinstance(one, str) else one["text"] for one in body["documents"])
        request = RerankRequest(resolved.model.ref, body["query"], documents, asking.request_id)
        return resolved, await self._entered(asking, resolved), request, left_out

    async def _entered(self, asking: _Asking, resolved: ListedModel) -> Provider:
        """Return the provider that is asked, once there is a place in its queue."""
        gate = self._gate(resolved.provider)
        with gate.coming():
            self.check_allowed()  # once more: what is let through here is waited for
            provider = await self.host.provider(resolved.provider)
            await self._take(asking)
            await gate.enter()
        return provider

    async def _take(self, asking: _Asking) -> None:
        await self.quotas.take(asking.key_id)
        asking.taken = True

    @contextlib.contextmanager
    def _refusals_told(self, asking: _Asking) -> Iterator[None]:
        """Report a request that is refused within the block, and give back what it took."""
        try:
            yield
        except BaseException as error:
            if asking.taken:
                self.quotas.give_back(asking.key_id)
            self.report(asking.refused(error))
            raise

    async def drain(self, provider: str, seconds: float) -> bool:
        """Return whether every request that was let through to a provider ended in that time."""
        gate = self._gates.get(provider)
        ends = time.monotonic() + seconds
        while gate is not None and not gate.is_idle:
            if time.monotonic() > ends:
                return False
            await asyncio.sleep(DRAIN_POLL)
        return True

    def under_way(self, provider: str) -> int:
        """Return how many requests a provider has now, those that wait for it included."""
        gate = self._gates.get(provider)
        return 0 if gate is None else gate.running + gate.waiting

    def queues(self) -> dict[str, tuple[int, int]]:
        """Return the running and waiting requests of each provider that had any."""
        return {name: (gate.running, gate.waiting) for name, gate in self._gates.items()}

    async def _resolve(
        self, name: str | None, role: Role = "chat"
    ) -> tuple[ListedModel, str | None]:
        self.check_allowed()
        if name:
            return await self.registry.serving(await self.registry.resolve(name)), None
        resolved, because = await self.choose(role)
        return resolved, because

    def _require(self, spec: ProviderSpec, capability: Capability) -> None:
        if capability not in spec.capabilities:
            what = {
                Capability.CHAT: "chat",
                Capability.COMPLETE: "text completion",
                Capability.EMBED: "embeddings",
                Capability.RERANK: "reranking",
            }[capability]
            raise ModelNotCapable(
                f"{spec.title} offers no {what}.",
                param="model",
                fix="See what each provider offers with: venom plugins",
            )

    def _gate(self, provider: str) -> Admission:
        if provider not in self._gates:
            limits = self.limits
            self._gates[provider] = Admission(
                limits.max_concurrent, limits.queue_size, limits.queue_timeout
            )
        return self._gates[provider]


#: Sampling parameters that are numbers: an event may tell them, as they are no words of a client.
_NUMBERS = (
    "temperature", "top_p", "top_k", "max_tokens", "frequency_penalty", "presence_penalty", "seed",
    "n",
)  # fmt: skip


def _finished(asking: _Asking, stream: ChatStream) -> ObservedEvent:
    account, asked = stream.account, stream.parameters
    usage, ttft = account.usage, account.ttft_ms
    seconds = (account.ended or account.started) - account.started
    numbers = {name: asked[name] for name in _NUMBERS if type(asked.get(name)) in (int, float)}
    return ObservedEvent(
        "chat.finished",
        {
            **asking.told(account.code, seconds),
            "stream": bool(asked["stream"]),
            "wire": asking.operation,
            "pieces": account.pieces,
            "prompt_tokens": usage.prompt_tokens if usage else None,
            "completion_tokens": usage.completion_tokens if usage else None,
            "cached_tokens": usage.cached_tokens if usage else None,
            "ttft_seconds": None if ttft is None else ttft / 1000,
            "finish_reasons": [account.finished[index] for index in sorted(account.finished)],
            "parameters": numbers,
        },
    )
