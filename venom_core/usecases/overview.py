"""The first screen's facts: machine, providers, default model, what to get next."""

from __future__ import annotations

import asyncio
from typing import Any

from venom_core._version import __version__
from venom_core.models.default_model import DefaultModel
from venom_core.models.fit import fits_memory
from venom_core.models.registry import ListedModel, ModelRegistry
from venom_core.models.suggestions import Suggestion, suggestions
from venom_core.plugins.access import ProviderAccess
from venom_core.sdk.errors import VenomError
from venom_core.sdk.machine import Machine, this_machine
from venom_core.settings.profiles import Profile


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

    async def show(self) -> dict[str, Any]:
        """Return JSON values; asks every provider, each within its own timeout."""
        return await overview(self._host, self._registry, self._profile, self._default_model)


async def overview(
    host: ProviderAccess, registry: ModelRegistry, profile: Profile, default_model: DefaultModel
) -> dict[str, Any]:
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
    providers = [
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


def suggestion_view(suggestion: Suggestion, machine: Machine) -> dict[str, Any]:
    """One suggestion: its command, its size against the memory free now, and how to get it."""
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
