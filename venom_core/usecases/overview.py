"""The first screen's facts: machine, providers, default model, what to get next."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from typing_extensions import TypedDict

from venom_core._version import __version__
from venom_core.installing.first_steps import Kind, first_steps
from venom_core.models.default_model import DefaultModel
from venom_core.models.fit import fits_memory
from venom_core.models.registry import ListedModel, ModelRegistry
from venom_core.models.suggestions import Suggestion, suggestions
from venom_core.plugins.access import ProviderAccess
from venom_core.plugins.records import PluginRecord, ProviderView
from venom_core.sdk.errors import VenomError
from venom_core.sdk.machine import Machine, this_machine
from venom_core.sdk.states import PluginState
from venom_core.settings.active_profile import ActiveProfile
from venom_core.settings.layers import Settings


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


class FirstStepView(TypedDict):
    """A way to a first answer that this installation can go: ``commands`` in their order; ``kind``
    says what answers then: an ``engine`` of ours, another ``program``, a ``server`` elsewhere."""

    plugin: str
    kind: Kind
    title: str
    commands: list[str]
    size_bytes: int | None


class ModelNote(TypedDict):
    """A remark on a model that is installed."""

    model: str
    id: str
    message: str


class Overview(TypedDict):
    """``default_model`` answers where none is named; ``default_model_reason`` says why this one, or
    why none. ``warnings`` are about the files of settings, and what nothing reads in them."""

    version: str
    profile: str
    default_model: str | None
    default_model_reason: str
    machine: MachineFigures
    providers: list[OverviewProvider]
    suggestions: list[SuggestionView]
    first_steps: list[FirstStepView]
    notes: list[ModelNote]
    warnings: list[str]


class OverviewUseCases:
    """Gathers what a first screen shows."""

    def __init__(
        self,
        host: ProviderAccess,
        registry: ModelRegistry,
        profile: ActiveProfile,
        default_model: DefaultModel,
        settings: Settings,
    ) -> None:
        self._settings = settings
        self._host = host
        self._registry = registry
        self._profile = profile
        self._default_model = default_model

    async def show(self) -> Overview:
        """Return JSON values; asks every provider, each within its own timeout."""
        return await overview(
            self._host, self._registry, self._profile, self._default_model, self._settings
        )


async def overview(
    host: ProviderAccess,
    registry: ModelRegistry,
    profile: ActiveProfile,
    default_model: DefaultModel,
    settings: Settings,
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
        "first_steps": await asyncio.to_thread(_first_steps, host.records(), settings),
        "notes": [
            {"model": item.reference, "id": item.id, "message": item.model.summary}
            for item in listing.installed
            if item.model.summary
        ],
        "warnings": list(settings.warnings),
    }


def _first_steps(records: Sequence[PluginRecord], settings: Settings) -> list[FirstStepView]:
    """Return the ways that can be gone from here: without those that somebody has switched off, and
    those whose plugin is nowhere to be had. Blocks."""
    from venom_core.installing.sources import is_obtainable

    installed = {record.id: record for record in records}
    found: list[FirstStepView] = []
    for step in first_steps():
        record, commands = installed.get(step.plugin), [*step.then]
        if record is not None and (
            record.state is not PluginState.LOADED or "profile" in _codes(record)
        ):
            continue
        if record is None or (step.kind == "engine" and "engine_missing" in _codes(record)):
            if not is_obtainable(settings, step.plugin):
                continue
            commands.insert(0, f"venom plugins install {step.plugin}")
        title = {
            "engine": f"Install {step.title} and a small model.",
            "program": f"Install {step.title} from {step.homepage} and start it.",
            "server": f"Name {step.title}.",
        }[step.kind]
        view: FirstStepView = {
            "plugin": step.plugin,
            "kind": step.kind,
            "title": title,
            "commands": commands,
            "size_bytes": step.size_bytes,
        }
        found.append(view)
    return found


def _codes(record: PluginRecord) -> set[str]:
    return {provider.reason.code for provider in record.providers if provider.reason}


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
