"""One provider under examination: what the rules ask it through."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import operator
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from venom_core.sdk.errors import VenomError
from venom_core.sdk.frames import Frame
from venom_core.sdk.messages import ChatRequest, Embeddings, EmbedRequest
from venom_core.sdk.provider import Provider, ProviderContext
from venom_core.sdk.spec import Capability, ProviderSpec, SettingValue
from venom_core.testing.conformance.rule import Broken
from venom_core.testing.conformance.subject import Ask, NotApplicable, Subject, Trial
from venom_core.testing.contexts import provider_context
from venom_core.testing.deadlines import patience
from venom_core.testing.network import NetworkGuard

T = TypeVar("T")

PROMPT = "Say hello."
#: What the kit fills in for a declared secret: nothing that it ever may be seen in.
SECRET = "venom-kit-secret-4f9c1d7e"  # noqa: S105 -- made up, and looked for
#: What an answer of the kit's is bound to, where the trial says nothing else.
SHORT = {"temperature": 0, "max_tokens": 24}


class Case:
    """A trial that is set up: the declaration, the class, and providers made of them."""

    def __init__(self, trial: Trial, subject: Subject, folder: Path, guard: NetworkGuard) -> None:
        self.trial = trial
        self.subject = subject
        self.folder = folder
        self.guard = guard
        self.manifest, self.spec = declared(trial)
        self._shared: Provider | None = None
        self._made = 0
        #: What one rule has found out and others ask for too.
        self.known: dict[str, Any] = {}

    # -- providers ---------------------------------------------------------------------------

    def class_of(self) -> type[Provider]:
        """Return the class that the declaration names. Raises :class:`Broken`."""
        module, _, name = self.spec.factory.partition(":")
        try:
            found = getattr(importlib.import_module(module), name)
        except Exception as error:
            raise Broken(f"{self.spec.factory} cannot be imported: {told(error)}") from error
        if not isinstance(found, type) or not issubclass(found, Provider):
            raise Broken(f"{self.spec.factory} is no Provider class.")
        return found

    def context(self, settings: Mapping[str, SettingValue] | None = None) -> ProviderContext:
        """Return a context as the host makes it: every declared setting, with its default."""
        secrets = {one.name: SECRET for one in self.spec.settings if one.secret}
        own = self.folder / "provider"
        return provider_context(
            self.spec,
            self.subject.data_dir or own / "data",
            self.subject.models_dir or own / "models",
            {**secrets, **self.subject.settings, **(settings or {})},
        )

    def new(self, settings: Mapping[str, SettingValue] | None = None) -> Provider:
        """Return a provider that is not open yet."""
        return self.class_of()(self.context(settings))

    @contextlib.asynccontextmanager
    async def opened(
        self, settings: Mapping[str, SettingValue] | None = None
    ) -> AsyncGenerator[Provider, None]:
        """Open a provider of the rule's own; close it behind the block."""
        provider = self.new(settings)
        await provider.open()
        try:
            yield provider
        finally:
            await provider.close()

    async def provider(self) -> Provider:
        """Return the provider that the rules share, open; its models have been listed once, as the
        core does it before it asks for one."""
        if self._shared is None:
            self._shared = self.new()
            await self._shared.open()
            await self._shared.models()
        return self._shared

    async def close(self) -> None:
        shared, self._shared = self._shared, None
        if shared is None:
            return
        try:
            async with asyncio.timeout(patience(15)):
                await shared.close()
        except Exception as error:  # there is a rule of its own for that
            self.context().logger.warning("close raised %s", told(error))

    # -- asking ------------------------------------------------------------------------------

    def has(self, capability: Capability) -> bool:
        """Return whether a capability is declared, and this trial's to examine."""
        part = self.trial.part
        return capability in self.spec.capabilities and (not part or capability in part)

    def wanted(self, name: str, why: str) -> Any:
        """Return what the trial gives under this name; the rule is skipped where it does not."""
        value = getattr(self.subject, name)
        if value is None:
            raise NotApplicable(why)
        return value

    def ask_of(self, verb: Capability) -> Ask:
        """Return what to ask for a capability. Raises :class:`Broken` where the trial says nothing
        of one that is declared: it would go unexamined."""
        ask: Ask | None = getattr(self.subject, verb.value)
        if ask is None:
            raise Broken(f"The trial has no {verb.value!r}, and {verb.value} is declared.")
        if verb is Capability.CHAT:
            return replace(ask, body={**SHORT, "messages": messages(PROMPT), **ask.body})
        if verb is Capability.COMPLETE:
            return replace(ask, body={**SHORT, "prompt": PROMPT, **ask.body})
        return replace(ask, body={"input": ("One text.", "Quite another text."), **ask.body})

    def request(self, ask: Ask, *, stream: bool = True, **body: Any) -> ChatRequest:
        """Return a request with what is declared of the ask's body, and these fields."""
        known = {"messages", "prompt"} | self.spec.parameters
        fields = {name: value for name, value in {**ask.body, **body}.items() if name in known}
        if "messages" not in fields and "prompt" not in fields:
            fields["messages"] = messages(PROMPT)
        seconds = patience(self.subject.seconds)
        return ChatRequest(ask.model, fields, stream, "conformance", seconds)

    async def frames(
        self, verb: Capability, request: ChatRequest, provider: Provider | None = None
    ) -> list[Frame]:
        """Return all frames of an answer."""
        provider = provider or await self.provider()
        found: list[Frame] = []
        async with contextlib.aclosing(getattr(provider, verb.value)(request)) as frames:
            async for frame in frames:
                if not isinstance(frame, Frame):
                    raise Broken(f"{verb.value} yields a {type(frame).__name__} and not a Frame.")
                found.append(frame)
        return found

    async def answer(self, verb: Capability, *, stream: bool) -> list[Frame]:
        """Return the frames of the trial's ask for a capability; asked once, looked at by many."""
        key = f"{verb.value} {stream}"
        if key not in self.known:
            request = self.request(self.ask_of(verb), stream=stream)
            self.known[key] = await self.frames(verb, request)
        frames: list[Frame] = self.known[key]
        return frames

    async def embed(
        self, inputs: Sequence[str], *, model: str | None = None, dimensions: int | None = None
    ) -> Embeddings:
        """Return the vectors of these texts."""
        name = model or self.ask_of(Capability.EMBED).model
        seconds = patience(self.subject.seconds)
        request = EmbedRequest(name, tuple(inputs), "conformance", dimensions, seconds)
        found = await (await self.provider()).embed(request)
        if not isinstance(found, Embeddings):
            raise Broken(f"embed returns a {type(found).__name__} and not Embeddings.")
        return found


async def refusal(what: str, call: Callable[[], Awaitable[object]]) -> VenomError:
    """Return the refusal that a call ends in. Raises :class:`Broken` where it has another end."""
    try:
        await call()
    except VenomError as error:
        return error
    except Exception as error:
        raise Broken(f"{what} raises {told(error)}, which is none of Venom's refusals.") from error
    raise Broken(f"{what} is answered and not refused.")


def messages(text: str) -> list[dict[str, Any]]:
    """Return a conversation of one question."""
    return [{"role": "user", "content": text}]


def text_of(frames: Sequence[Frame], index: int = 0) -> str:
    """Return the text of a choice."""
    return "".join(
        choice.content or ""
        for frame in frames
        for choice in frame.event.choices
        if choice.index == index
    )


def told(error: BaseException) -> str:
    """Return an exception in a few words."""
    if isinstance(error, VenomError):
        return f"{error.code}: {error.message}"
    said = str(error).strip()
    return f"{type(error).__name__}: {said}" if said else type(error).__name__


def declared(trial: Trial) -> tuple[Any, ProviderSpec]:
    """Return the manifest, loaded, and the declaration of the trial's provider.

    Raises:
        Broken: there is no such manifest, or no such provider in it.
    """
    module, _, attribute = trial.manifest.partition(":")
    try:
        manifest: Any = importlib.import_module(module)
        manifest = operator.attrgetter(attribute)(manifest) if attribute else manifest
        specs = list(manifest.venom_providers())
    except Exception as error:
        raise Broken(f"The manifest {trial.manifest} cannot be loaded: {told(error)}") from error
    wanted = [one for one in specs if trial.provider in (None, one.name)]
    if len(wanted) != 1:
        names = ", ".join(str(getattr(one, "name", one)) for one in specs) or "none"
        raise Broken(f"The trial names one provider of {trial.manifest}; it has: {names}.")
    return manifest, wanted[0]
