"""The refusal for a name that means no installed model: what is nearest, and who could have it."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from heapq import nlargest
from shlex import quote
from typing import TYPE_CHECKING

from venom_core.models.references import check_unlisted, names_match, parse_reference
from venom_core.sdk.errors import EngineMissing, ModelNotFound
from venom_core.sdk.states import Reason

if TYPE_CHECKING:
    from venom_core.models.registry import Listing

#: A comparison looks at every letter of one name for every letter of the other.
MOST_COMPARED = 100
MOST_LETTERS = 100


def unknown_model(name: str, listing: Listing, aliases: Iterable[str] = ()) -> ModelNotFound:
    """Return the refusal for a name, over what was listed.

    A provider that does not answer may be the one that has it, and is named; one whose engine this
    machine does not have is nobody's business, unless no other is there. Raises
    ``InvalidRequest`` where the name climbs out of a folder.
    """
    bare = parse_reference(name).name
    check_unlisted(bare)
    not_fetched = (item for item in listing.models if not item.model.installed)
    offered = next((item for item in not_fetched if names_match(bare, item.model.ref)), None)
    if offered is None:
        near = nearest(name, listing, aliases)
        if near is not None:
            fix = f"Did you mean {near}? All names: venom list"
        elif listing.installed:
            fix = "See the names with: venom list"
        else:
            fix = where_to_get_one(listing)
    else:
        why = listing.stale.get(offered.provider)
        fix = (why.fix if why else None) or f"Fetch it with: venom pull {quote(name)}"
    down = "".join(f" {reason.message}" for reason in concerned(listing))
    return ModelNotFound(f"The model {name!r} is not installed.{down}", param="model", fix=fix)


def where_to_get_one(listing: Listing) -> str:
    """Return what to do where no model is installed: without any provider none can be fetched."""
    if listing.models or listing.stale:
        return "See what can be fetched with: venom list --available"
    return "See the installed providers with: venom plugins"


def concerned(listing: Listing) -> list[Reason]:
    """Return why providers that may have a model do not answer."""
    reasons = list(listing.stale.values())
    there = [reason for reason in reasons if not isinstance(reason.error(), EngineMissing)]
    answered = any(item.provider not in listing.stale for item in listing.models)
    return there if there or answered else reasons


def unheard(
    name: str, listing: Listing, never: Iterable[str], aliases: Iterable[str] = ()
) -> Reason | None:
    """Return why a provider is silent that may have the model; None where the name is nearly one
    that is known, and of engines that this machine does not have.

    Args:
        never: providers that were not heard once since the start: what they have is not known.
    """
    reasons = {provider: listing.stale[provider] for provider in never}
    silent = {p: r for p, r in reasons.items() if not isinstance(r.error(), EngineMissing)}
    for item in listing.models:
        if item.provider in silent and names_match(name, item.model.ref):
            return silent[item.provider]
    if not silent or nearest(name, listing, aliases):
        return None
    return next(iter(silent.values()))


def nearest(name: str, listing: Listing, aliases: Iterable[str] = ()) -> str | None:
    """Return the name, of those that can be used, which was probably meant."""
    from difflib import get_close_matches

    names = [*aliases, *(item.id for item in listing.installed)]
    if "://" in name:
        names = [item.reference for item in listing.installed]
    by_end = {_compared(known): known for known in names}
    asked = _compared(name)
    found = get_close_matches(asked, _likely(asked, by_end), n=1, cutoff=0.6)
    return by_end[found[0]] if found else None


def _compared(name: str) -> str:
    """Return what of a name is compared: of a path, the end says most."""
    return name.lower()[-MOST_LETTERS:]


def _likely(asked: str, names: Collection[str]) -> Collection[str]:
    """Return the names that are worth a comparison: those with most of the same three letters."""
    if len(names) <= MOST_COMPARED:
        return names
    threes = {asked[at : at + 3] for at in range(len(asked) - 2)}
    return nlargest(MOST_COMPARED, names, key=lambda known: sum(map(known.__contains__, threes)))
