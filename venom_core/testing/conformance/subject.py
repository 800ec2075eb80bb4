"""The subject of an examination: a provider's settings, and what may be asked of it.

A plugin describes how its provider is set up for the kit in a function that is an asynchronous
generator, once for each engine or record that it is examined with::

    @trial("venom_acme.plugin", engine="real acme 1.4")
    async def acme(folder: Path) -> AsyncIterator[Subject]:
        async with an_acme_server() as server:
            yield Subject(settings={"url": server.url}, chat=Ask("tiny"))
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from venom_core.sdk.provider import BuildRequest, Provider
from venom_core.sdk.spec import Capability, SettingValue


class NotApplicable(Exception):
    """A rule says nothing of this provider; the text is the reason, a sentence."""


@dataclass(frozen=True, slots=True)
class Ask:
    """One request: the model's reference as the provider lists it, and fields of the body.

    A body without ``messages``, ``prompt`` or ``input`` gets a short one. Give ``temperature`` and
    ``seed`` where the engine is not the same each time without.
    """

    model: str
    body: Mapping[str, Any] = field(default_factory=dict)


class Upstream:
    """The engine or server behind a provider, as far as a trial can look into it and break it.

    A trial overrides what it can do; a rule that needs more is skipped with the reason.
    """

    async def serving(self, provider: Provider) -> int:
        """Return how many answers the engine is making now."""
        raise NotApplicable("Nothing tells what this engine is working on.")

    async def received(self) -> Mapping[str, Any]:
        """Return the body of the last request for an answer, in the engine's own words."""
        raise NotApplicable("Nothing tells what this engine was sent.")

    async def hold(self) -> None:
        """Let the next answer stand still after its first piece, until its client leaves."""
        raise NotApplicable("This engine cannot be made to wait.")

    async def break_off(self) -> None:
        """Let the next answer's connection end after its first piece."""
        raise NotApplicable("This engine cannot be made to break off.")

    async def refuse(self, status: int, words: str) -> None:
        """Let the next request for an answer be refused with this status and these words."""
        raise NotApplicable("This engine cannot be made to refuse.")


@dataclass(frozen=True, kw_only=True, slots=True)
class Subject:
    """A provider's settings for the kit, and what may be asked of it.

    Args:
        settings: what differs from the declared defaults. Secrets that are declared and not given
            are filled in by the kit.
        chat, complete, embed: what is asked where the capability is declared.
        too_long: a chat whose prompt is longer than its model's context.
        stop: a chat whose ``stop`` ends the answer that it gives without.
        tools: a chat whose answer calls a tool.
        image: a chat with an image as a ``data:`` URL.
        reasoning: a chat whose answer thinks first.
        load: the reference of a model that can be loaded; that of ``chat`` unless given.
        pull: a reference that can be fetched and, where ``remove`` is declared, removed.
        remove: one that can be removed where nothing can be fetched.
        build: a build that can be carried out.
        query: words that the catalogue finds something for; card: a reference in it.
        unknown: the reference of no model.
        unreachable: settings under which nothing answers; None where there is no upstream.
        upstream: what is behind the provider.
        elsewhere: connections beyond this machine are what is examined.
        data_dir, models_dir: the provider's folders; in the trial's own unless given.
        seconds: how long one rule may take on an idle machine.
    """

    settings: Mapping[str, SettingValue] = field(default_factory=dict)
    chat: Ask | None = None
    complete: Ask | None = None
    embed: Ask | None = None
    too_long: Ask | None = None
    stop: Ask | None = None
    tools: Ask | None = None
    image: Ask | None = None
    reasoning: Ask | None = None
    load: str | None = None
    pull: str | None = None
    remove: str | None = None
    build: BuildRequest | None = None
    query: str = ""
    card: str | None = None
    unknown: str = "no-such-model"
    unreachable: Mapping[str, SettingValue] | None = None
    upstream: Upstream = field(default_factory=Upstream)
    elsewhere: bool = False
    data_dir: Path | None = None
    models_dir: Path | None = None
    seconds: float = 60.0


@dataclass(frozen=True, slots=True)
class Trial:
    """One way to examine a provider; made by :func:`trial`.

    Args:
        manifest: the plugin's manifest, ``module`` or ``module:attribute``.
        engine: what the answers come from: ``real llama.cpp``, ``records of Ollama 0.24.0``.
        provider: which of the manifest's providers; None where it has one.
        part: the capabilities that it examines, where another trial of the plugin examines the
            rest; empty for all of them.
        prepare: sets up the subject in a folder of its own, for the time of the block. Raises a
            ``VenomError`` where something is missing that a person can bring.
    """

    manifest: str
    engine: str
    provider: str | None
    prepare: Callable[[Path], AbstractAsyncContextManager[Subject]]
    part: frozenset[Capability] = frozenset()


def trial(
    manifest: str,
    *,
    engine: str,
    provider: str | None = None,
    part: Iterable[Capability] = (),
) -> Callable[[Callable[[Path], AsyncIterator[Subject]]], Trial]:
    """Make a trial of an asynchronous generator that yields one :class:`Subject`."""

    def make(function: Callable[[Path], AsyncIterator[Subject]]) -> Trial:
        prepare = contextlib.asynccontextmanager(function)
        return Trial(manifest, engine, provider, prepare, frozenset(part))

    return make
