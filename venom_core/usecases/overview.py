"""The first screen's facts: machine, providers, default model, what to get next."""

from __future__ import annotations

import asyncio

from typing_extensions import TypedDict

from venom_core._version import __version__
from venom_core.models.default_model import DefaultModel
from venom_core.models.fit import fits_memory
from venom_core.models.registry import ListedModel, ModelRegistry
from venom_core.models.suggestions import Suggestion, suggestions
from venom_core.plugins.access import ProviderAccess
from venom_core.plugins.records import ProviderView
from venom_core.sdk.errors import VenomError
from venom_core.sdk.machine import Machine, this_machine
from venom_core.settings.profiles import Profile


class OverviewProvider(ProviderView):
    title: str


class MachineFigures(TypedDict):
    memory_total_bytes: int
    memory_available_bytes: int
    cores: int


class SuggestionView(TypedDict):
    """A model worth getting: ``available`` says whether a provider can fetch it now and ``reason``
    why not; ``command`` gets it at a command line."""

    name: str
    title: str
    summary: str
    provider: str
    command: str
    size_bytes: int
    fits: bool
    fit_message: str
    available: bool
    reason: str | None
    terms_url: str | None


class ModelNote(TypedDict):
    """A remark on a model that is installed."""

    model: str
    id: str
    message: str


class Overview(TypedDict):
    """``default_model`` answers where none is named; ``default_model_reason`` says why this one, or
    why none."""

    version: str
    profile: str
    default_model: str | None
    default_model_reason: str
    machine: MachineFigures
    providers: list[OverviewProvider]
    suggestions: list[SuggestionView]
    notes: list[ModelNote]


class OverviewUseCases:
    """Gathers what a first screen shows."""

    def __init__(
        self,
        host: ProviderAccess,
        registry: ModelRegistry,
        profile: Profile,
        default_model: DefaultModel,
    ) -> None:
        self._host = host
        self._registry = registry
        self._profile = profile
        self._default_model = default_model

    async def show(self) -> Overview:
        """Return JSON values; asks every provider, each within its own timeout."""
        return await overview(self._host, self._registry, self._profile, self._default_model)


async def overview(
    host: ProviderAccess, registry: ModelRegistry, profile: Profile, default_model: DefaultModel
) -> Overview:
    """Ask every provider side by side and put their answers together."""
    listing = await registry.listing(fresh=True)
    names = await registry.providers()
    await asyncio.gather(*(host.health(name) for name in names), return_exceptions=True)
    machine = await asyncio.to_thread(this_machine)
    default: ListedModel | None = None
    try:
        default, because = await default_model()
    except VenomError as error:
        because = error.message
    specs = host.specs()
    providers: list[OverviewProvider] = [
        {**provider, "title": specs[provider["name"]].title}
        for record in host.records()
        for provider in record.record()["providers"]
        if provider["name"] in specs
    ]
    return {
        "version": __version__,
        "profile": profile.name,
        "default_model": default.id if default else None,
        "default_model_reason": because,
        "machine": {
            "memory_total_bytes": machine.memory_total_bytes,
            "memory_available_bytes": machine.memory_available_bytes,
            "cores": machine.cores,
        },
        "providers": providers,
        "suggestions": [
            suggestion_view(suggestion, machine)
            for suggestion in suggestions(listing, specs, host.preference(), names)
        ],
        "notes": [
            {"model": item.reference, "id": item.id, "message": item.model.summary}
            for item in listing.installed
            if item.model.summary
        ],
    }


def suggestion_view(suggestion: Suggestion, machine: Machine) -> SuggestionView:
    """Return one suggestion: its command, its size against the memory free now, and how to get
    it."""
    proposal = suggestion.proposal
    enough = fits_memory(proposal, machine.memory_available_bytes)
    free = machine.memory_available_bytes / 1e9
    return {
        "name": proposal.name,
        "title": proposal.title,
        "summary": proposal.summary,
        "provider": suggestion.provider,
        "command": f"venom {'pull' if suggestion.offered else 'run'} {proposal.name}",
        "size_bytes": proposal.size_bytes,
        "fits": enough,
        "fit_message": f"{'fits' if enough else 'does not fit'} into the {free:.0f} GB free now",
        "available": suggestion.available,
        "reason": suggestion.reason,
        "terms_url": proposal.terms_url,
    }
