"""The interface of a provider: async only; an optional method raises ``NotSupported``."""

from __future__ import annotations

import logging
import re
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NoReturn

from venom_core.sdk.architecture import Architecture, MemoryPlan
from venom_core.sdk.catalogue import (
    CatalogueEntry,
    NewsItem,
    NewsKind,
    RepositoryCard,
    SearchFilters,
    SearchPage,
)
from venom_core.sdk.errors import NotSupported
from venom_core.sdk.frames import Frame
from venom_core.sdk.memory_estimate import MemoryNeed
from venom_core.sdk.messages import ChatRequest, Embeddings, EmbedRequest, Reranked, RerankRequest
from venom_core.sdk.spec import ProviderSpec, SettingValue
from venom_core.sdk.states import Health

#: What a model can be asked for, beside what its provider can.
ModelCapability = Literal[
    "chat", "completion", "embedding", "rerank", "tools", "vision", "thinking"
]
#: Two letters at least: one is a drive of Windows.
_SCHEME = re.compile(r"[a-z][a-z0-9]+:.", re.ASCII)
#: Whether prompts stay on this machine.
Locality = Literal["local", "remote"]
#: What the files are: ``gguf``, ``onnx``, ``folder``, or a word of the provider's own.
ModelType = str


@dataclass(frozen=True, slots=True)
class ProviderContext:
    """The context that the core hands to a provider when it makes one.

    Args:
        spec: the provider's own declaration.
        settings: every declared setting by name, validated, with defaults filled in.
        data_dir: a folder of this provider's own; make it before writing.
        models_dir: the model store, shared by providers that keep files.
        logger: prints under the provider's name; never log prompts, answers or keys.
    """

    spec: ProviderSpec
    settings: Mapping[str, SettingValue]
    data_dir: Path
    models_dir: Path
    logger: logging.Logger


@dataclass(frozen=True, slots=True)
class Model:
    """A model that a provider can serve, or could after a pull (``installed=False``).

    Args:
        ref: the provider's own reference; ``provider://ref`` is unique.
        capabilities: None where the provider does not know without asking the model.
        allowed_roles: message roles the template renders; None where unknown (all pass).
        prompt_template: how messages become a prompt, in the model's own template language.
        languages: ISO 639-1 codes of the languages it is good for; None where unknown.
        instruct: trained to converse; False for a base model; None where unknown.
        defaults: the model's own generation defaults by OpenAI name; sent where neither the
            request nor a stored override says otherwise.
        runs_at: the host that gets the prompts, for people (``ollama.com``); None where it runs on
            this machine.
        host_is_named: that host is where the settings say that this provider is: its models may
            be chosen where none is named.
        applies_defaults: its engine knows them and applies them by itself: shown, never sent.
        parameter_bounds: lowest and highest value by OpenAI name, where they are narrower than what
            every model takes.
        summary: what it is good for, in a sentence people read before choosing it.
        digest: what the files are, as ``scheme:value``: ``sha256:`` and the digest of a file,
            ``commit:`` and the commit of a whole snapshot folder. A value without a scheme is
            shown and joins nothing.
        location: the absolute path of the file or folder: what has no such digest is known by it,
            and a build starts from it. Never shown.
        size_bytes: on disk.
        context_length: in tokens, as trained or configured.
        details: whatever else is worth showing, JSON values only, no paths.
        architecture, memory_plan: for the fit check: the model in numbers, and how this provider
            would hold it; None where unknown.
    """

    ref: str
    type: ModelType
    capabilities: frozenset[ModelCapability] | None = None
    title: str | None = None
    summary: str | None = None
    size_bytes: int | None = None
    digest: str | None = None
    quantization: str | None = None
    context_length: int | None = None
    languages: tuple[str, ...] | None = None
    instruct: bool | None = None
    installed: bool = True
    loaded: bool | None = None
    allowed_roles: tuple[str, ...] | None = None
    prompt_template: str | None = None
    defaults: Mapping[str, Any] = field(default_factory=dict)
    license: str | None = None
    terms_url: str | None = None
    details: Mapping[str, Any] = field(default_factory=dict)
    architecture: Architecture | None = None
    memory_plan: MemoryPlan | None = None
    location: Path | None = None
    parameter_bounds: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    applies_defaults: bool = False
    runs_at: str | None = None
    host_is_named: bool = False

    @property
    def locality(self) -> Locality:
        """Return whether prompts stay on this machine."""
        return "local" if self.runs_at is None else "remote"

    @property
    def identity(self) -> str | None:
        """Return by what a source's files and a runtime's are known to be the same; None where
        nothing tells."""
        if self.digest is not None and _SCHEME.match(self.digest):
            return self.digest
        return None if self.location is None else str(self.location)


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A model in memory. ``expires_at`` is ISO 8601 in UTC, None for "until stopped"."""

    ref: str
    size_bytes: int | None = None
    vram_bytes: int | None = None
    context_length: int | None = None
    expires_at: str | None = None


@dataclass(frozen=True, slots=True)
class PullProgress:
    """One step of a pull. ``bytes_done`` never falls; the total may become known late."""

    status: Literal["pulling", "verifying", "writing", "completed"]
    message: str
    bytes_done: int = 0
    bytes_total: int | None = None


@dataclass(frozen=True, slots=True)
class PullPlan:
    """The size and the place of a pull, asked before it begins.

    Args:
        ref: the reference in the one form under which the model will be listed.
        bytes_total: what the source says it sends; None where only the transfer tells.
        bytes_here: how much of it an earlier, stopped pull has brought.
        bytes_needed: what the disk needs besides while it is fetched (unpacking).
        folder: where the files will lie; None where that is no disk of this machine's.
    """

    ref: str
    bytes_total: int | None = None
    bytes_here: int = 0
    bytes_needed: int = 0
    folder: Path | None = None

    @property
    def bytes_to_write(self) -> int | None:
        """Return what the disk must still take; None where only the transfer tells."""
        if self.bytes_total is None:
            return None
        return max(0, self.bytes_total - self.bytes_here) + self.bytes_needed


@dataclass(frozen=True, slots=True)
class BuildRequest:
    """A build: model files of another format, made on this machine of a folder with a model.

    Args:
        source: the reference of the model it starts from, ``provider://ref``.
        folder: where that model's files lie; absolute, and there when this was made.
        format, precision, execution_provider: of ``ProviderSpec.builds``.
    """

    source: str
    folder: Path
    format: str
    precision: str
    execution_provider: str


@dataclass(frozen=True, slots=True)
class BuildProgress:
    """One step of a build. ``percent`` never falls."""

    status: Literal["building", "completed"]
    message: str
    percent: int = 0


@dataclass(frozen=True, slots=True)
class EngineStatus:
    """A supervised engine process. Memory is resident bytes of its whole process tree;
    ``progress`` says in a few words how far one that starts is ("loading the weights: 50%")."""

    name: str
    state: Literal["stopped", "starting", "running", "failed"]
    model: str | None = None
    pid: int | None = None
    port: int | None = None
    memory_bytes: int | None = None
    started_at: str | None = None
    ready_seconds: float | None = None
    restarts: int = 0
    log_tail: Sequence[str] = ()
    progress: str | None = None


#: Bytes of one engine's metrics: reading them takes seconds a megabyte.
MOST_METRICS_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class EngineMetrics:
    """The metrics of one running engine, as it tells them: Prometheus text in UTF-8, of the model
    ``model``, of at most :data:`MOST_METRICS_BYTES`; what is longer is left out."""

    model: str
    text: bytes


class Provider(ABC):
    """A way to models.

    Life: constructed with a :class:`ProviderContext` (no I/O), ``open`` once, used from one event
    loop by many tasks at a time, ``close`` once. A refusal of ``venom_core.sdk.errors`` is shown as
    it is. Whatever else a method raises, ``SystemExit`` too, and an answer of another type than
    declared, is ``upstream_error``; a ``TimeoutError``, or no answer in time, is
    ``upstream_timeout``: logged under the provider's name, never shown.
    """

    def __init__(self, context: ProviderContext) -> None:
        self.context = context

    @property
    def endpoint(self) -> str | None:
        """Return where the server behind it listens, a URL as the settings say it; the first of
        several. None where it has none or starts engines of its own. Known once it is open, without
        I/O."""
        return None

    def canonical(self, ref: str) -> str:
        """Return the form in which two references are the same model: ``Gemma3`` and
        ``gemma3:latest`` may be one. No I/O."""
        return ref

    async def open(self) -> None:
        """Make clients; raise :class:`~venom_core.sdk.errors.Unavailable` only where nothing can
        work without a change by the user (engine missing). A server that is down is no reason:
        ``health`` says so, and the next call tries again. Does nothing where it is open."""

    async def close(self) -> None:
        """Release everything: clients, child processes, tasks. Does nothing where it is closed, or
        never was opened."""

    @abstractmethod
    async def health(self) -> Health:
        """Return the present state, within two seconds; never raises."""

    @abstractmethod
    async def models(self) -> Sequence[Model]:
        """Return installed models, and those that can be had by name (``installed=False``)."""

    def chat(self, request: ChatRequest) -> AsyncGenerator[Frame, None]:
        """Answer a chat.

        The law of this generator:

        * its first frame comes only after the upstream accepted the request;
        * what goes wrong is raised, never framed;
        * ``request.stream``: DELTA frames, then a FINISH for each choice, then at most one USAGE;
          the first delta of a choice carries ``role="assistant"``;
        * otherwise: exactly one ANSWER;
        * ``aclose()`` closes the upstream at once.

        The core keeps it: what breaks it is mended where nothing is lost, and else refused by the
        name of its rule (:mod:`venom_core.sdk.law`).
        """
        self._unsupported("chat")

    def complete(self, request: ChatRequest) -> AsyncGenerator[Frame, None]:
        """Continue a raw prompt (``body["prompt"]``, a string), by the same law as ``chat``."""
        self._unsupported("text completion")

    async def embed(self, request: EmbedRequest) -> Embeddings:
        """Embed texts; an input longer than the context is refused, never cut."""
        self._unsupported("embeddings")

    async def rerank(self, request: RerankRequest) -> Reranked:
        """Score how relevant texts are to a query; one that is too long is refused, never cut."""
        self._unsupported("reranking")

    async def describe(self, ref: str) -> Model:
        """Return a model with everything that is known of it. Raises ``ModelNotFound``."""
        self._unsupported("model details")

    async def estimate(self, ref: str, context: int | None = None) -> MemoryNeed:
        """The memory that a model would take at a context, by part; for a provider whose models
        cannot be told as an ``architecture`` with a ``memory_plan``. ``context`` None is what the
        engine would take by itself. Raises ``ModelNotFound``."""
        self._unsupported("estimate of memory")

    async def load(self, ref: str) -> None:
        """Bring a model into memory and return when it can answer."""
        self._unsupported("load")

    async def unload(self, ref: str) -> None:
        """Take a model out of memory; succeeds when it was not loaded."""
        self._unsupported("unload")

    async def ps(self) -> Sequence[LoadedModel]:
        """Return the models in memory now."""
        self._unsupported("ps")

    async def plan_pull(self, ref: str) -> PullPlan:
        """Return what ``pull(ref)`` would take, within ten seconds. Raises ``ModelNotFound`` where
        the source is known not to have it."""
        return PullPlan(ref)

    def pull(self, ref: str) -> AsyncGenerator[PullProgress, None]:
        """Fetch a model, yielding progress; the last item is ``completed``. ``aclose()`` stops the
        transfer and keeps what a later pull can go on from."""
        self._unsupported("pull")

    async def forget_pull(self, ref: str) -> None:
        """Delete what a stopped pull of ``ref`` left behind; no error where there is nothing."""

    async def plan_build(self, request: BuildRequest) -> PullPlan:
        """Return what ``build(request)`` would make and take, within ten seconds: ``ref`` is the
        name under which the result will be listed, the same for the same request. Raises
        ``InvalidRequest`` for a folder that cannot be built from, ``EngineMissing`` where what
        builds is not installed, ``Conflict`` where the result is there already."""
        self._unsupported("builds")

    def build(self, request: BuildRequest) -> AsyncGenerator[BuildProgress, None]:
        """Build a model, yielding progress; the last item is ``completed``, and the model is listed
        then and not before. ``aclose()`` ends what is building and keeps the steps that are done: a
        later build of the same goes on behind them. Heavy work belongs into a process of its
        own."""
        self._unsupported("builds")

    async def forget_build(self, request: BuildRequest) -> None:
        """Delete what a stopped build left behind; no error where there is nothing."""

    async def remove(self, ref: str) -> None:
        """Delete an installed model. Raises ``ModelNotFound``."""
        self._unsupported("remove")

    async def search(self, query: str, filters: SearchFilters, limit: int, page: int) -> SearchPage:
        """Return models of the source's catalogue that match. ``page`` counts from 1, ``limit`` is
        the length of a page. Raises ``Unavailable`` where the source cannot be reached."""
        self._unsupported("search")

    async def trending(self, limit: int) -> Sequence[CatalogueEntry]:
        """Return the models in demand now, the most wanted first; raises as ``search`` does."""
        self._unsupported("trending models")

    async def news(
        self, kind: NewsKind, month: str | None, lang: str, limit: int
    ) -> Sequence[NewsItem]:
        """Return news about models, those of a blog the newest first; raises as ``search`` does.

        Args:
            month: ``YYYY-MM`` of publishing; None is the newest there are.
            lang: the reader's language (``en``, ``pl``, ``de``); what the source has in another
                language is given as it is.
        """
        self._unsupported("news")

    async def card(self, ref: str) -> RepositoryCard:
        """Return a model of the catalogue with its files, licence and terms. Raises
        ``ModelNotFound``, and what ``search`` raises."""
        self._unsupported("model cards")

    async def engines(self) -> Sequence[EngineStatus]:
        """Return the engine processes that this provider supervises."""
        self._unsupported("engines")

    async def start_engine(self) -> None:
        """Start the one engine that serves all models of this provider, and return when it answers;
        does nothing where one answers already, whoever started it. A provider with
        ``Capability.START_ENGINE`` has ``stop_engine`` and ``engines`` too.

        Raises what keeps it from running: ``EngineMissing``, ``Conflict``, ``Unavailable``."""
        self._unsupported("engine of its own")

    async def stop_engine(self) -> None:
        """Stop the engine, which then stays stopped until ``start_engine``; does nothing where none
        runs. Raises ``Conflict`` for one that somebody else started."""
        self._unsupported("engine of its own")

    async def metrics(self) -> Sequence[EngineMetrics]:
        """Return what the engines that run now tell Prometheus, within a second; an engine that
        does not answer is left out. Asked of a provider with ``Capability.ENGINES``, once it is
        open. The core adds ``provider`` and ``model`` to the labels; names stay."""
        return ()

    def _unsupported(self, what: str) -> NoReturn:
        title = self.context.spec.title
        raise NotSupported(
            f"{title} has no {what}.", fix="Choose a model of another provider: venom list"
        )
