"""Suggestions: what providers propose and nobody has fetched yet, each once."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from venom_core.models.registry import Listing
from venom_core.sdk.spec import Proposal, ProviderSpec


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A proposal, the provider that would fetch it, and whether that one can now.

    Args:
        reason: why it cannot; None where it can.
        offered: it is in the provider's own list, and not in its declaration alone.
    """

    proposal: Proposal
    provider: str
    available: bool
    reason: str | None = None
    offered: bool = False


def suggestions(
    listing: Listing,
    specs: Mapping[str, ProviderSpec],
    order: Sequence[str],
    providers: Collection[str],
) -> list[Suggestion]:
    """List what is proposed and not installed: what specs declare first, in the order of their
    providers, then what providers list. A name that several propose is that of the first who could
    fetch it now.

    Args:
        specs: every provider that could be asked, by name.
        order: names of providers, the preferred first.
        providers: those that may be asked now.
    """
    answering = set(providers) - set(listing.stale)
    installed = {item.model.ref for item in listing.installed}
    ranked = sorted(specs, key=lambda name: order.index(name) if name in order else len(order))
    declared = [(name, proposal) for name in ranked for proposal in specs[name].proposals]
    listed = [
        (
            item.provider,
            Proposal(
                item.model.ref,
                item.model.title or item.model.ref,
                item.model.size_bytes,
                item.model.summary or "",
                item.model.terms_url,
                item.model.architecture,
                item.model.memory_plan,
            ),
        )
        for item in listing.models
        if not item.model.installed and item.model.size_bytes is not None
    ]
    found: dict[str, Suggestion] = {}
    for provider, proposal, offered in (
        *((name, proposal, False) for name, proposal in declared),
        *((name, proposal, True) for name, proposal in listed),
    ):
        earlier = found.get(proposal.name)
        available = provider in answering
        if proposal.name in installed or (earlier and (earlier.available or not available)):
            continue
        reason = None if available else _missing(provider, specs, listing)
        found[proposal.name] = Suggestion(proposal, provider, available, reason, offered)
    return list(found.values())


def _missing(provider: str, specs: Mapping[str, ProviderSpec], listing: Listing) -> str:
    """Say what a provider that cannot fetch now needs."""
    spec = specs.get(provider)
    if spec is not None and spec.needs:
        return spec.needs
    if spec is not None and spec.engine is not None:
        return f"Needs {spec.title}: venom plugins install {spec.engine.install}"
    if (reason := listing.stale.get(provider)) is not None:
        return f"{reason.message} {reason.fix or ''}".strip()
    return f"{spec.title if spec else provider} cannot be asked now."
