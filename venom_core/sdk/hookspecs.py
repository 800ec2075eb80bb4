"""The hooks that a plugin may implement, all one-to-many, dispatched by pluggy.

A plugin is a module named by an entry point of the group ``venom.providers.v1``::

    [project.entry-points."venom.providers.v1"]
    acme = "venom_acme.plugin"

It implements the hooks it wants with ``@hookimpl``. Provider methods are no hooks: a model belongs
to one provider.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pluggy

if TYPE_CHECKING:
    from venom_core.sdk.spec import ProviderSpec

PROJECT = "venom"

hookspec = pluggy.HookspecMarker(PROJECT)
#: Marks a function of a manifest as a hook: ``venom_providers``, ``venom_doctor_checks`` or
#: ``venom_observe``.
hookimpl = pluggy.HookimplMarker(PROJECT)


@dataclass(frozen=True, slots=True)
class DoctorFinding:
    """One line of ``venom doctor``: ``ok`` or a problem with its ``fix``."""

    ok: bool
    title: str
    message: str
    fix: str | None = None


@dataclass(frozen=True, slots=True)
class DoctorCheck:
    """A named check; ``run`` is awaited with a timeout of ten seconds."""

    name: str
    run: Callable[[], Awaitable[DoctorFinding]]


@dataclass(frozen=True, slots=True)
class ObservedEvent:
    """Something that happened, for meters and ledgers.

    ``name`` is one of ``chat.finished``, ``embed.finished``, ``rerank.finished``,
    ``request.refused`` (a request that ended before a provider was asked), ``plugin.state``,
    ``provider.state``, ``provider.breach`` (a rule of the law that a provider broke for the first
    time), ``model.pulled``, ``model.built``, ``model.removed``, ``model.activated``,
    ``model.deactivated``, ``model.loaded``, ``model.unloaded``, ``model.configured``,
    ``model.tested``, ``alias.set``, ``alias.removed``, ``service.started``, ``service.stopped``,
    ``service.restarted``, ``service.failed``, ``service.recovered``, ``server.activated``,
    ``profile.switched`` (these with ``service``, ``action``, ``success`` and ``message``),
    ``settings.changed``, ``settings.restored`` (with ``keys`` and ``restart_required``). ``data``
    holds plain values and never a prompt, an answer or a key; the names in it are those of our
    listings, never the words of a client.

    Of a request (``chat.finished``, ``embed.finished``, ``rerank.finished``, ``request.refused``):
    ``request_id``, ``key_id`` (not the key), ``provider`` and ``model`` (None where none was found
    yet), ``operation`` (``chat``, ``completion``, ``embed``, ``rerank``), ``code`` (None for a
    whole answer, ``client_gone`` where the client left, else the error's), ``duration_seconds``,
    ``runs_at`` (the host that got the prompt, None for this machine) and ``traceparent`` (as the
    client sent it, well-formed, or None). Finished ones have ``prompt_tokens``; ``chat.finished``
    has ``stream``, ``completion_tokens``, ``cached_tokens``, ``pieces`` (of a stream),
    ``ttft_seconds``, ``finish_reasons`` (of the choices in their order) and ``parameters`` (the
    numbers among the sampling parameters that the provider was asked with).
    """

    name: str
    data: Mapping[str, Any] = field(default_factory=dict)


class VenomHooks:
    """The specification; subclassing is not needed."""

    @hookspec
    def venom_providers(self) -> Iterable[ProviderSpec]:  # type: ignore[empty-body]
        """Return the providers of this plugin. Called once, right after the manifest's import.

        .. versionadded:: 2026.11
        """

    @hookspec
    def venom_doctor_checks(self) -> Iterable[DoctorCheck]:  # type: ignore[empty-body]
        """Return checks that ``venom doctor`` runs.

        .. versionadded:: 2026.11
        """

    @hookspec
    def venom_observe(self, event: ObservedEvent) -> None:
        """See an event after it happened. Must return quickly: it is called off the hot path,
        on the event loop, one implementation after another; what it raises is logged.

        .. versionadded:: 2026.11
        """
