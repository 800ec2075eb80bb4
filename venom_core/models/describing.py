"""One model with everything its provider knows of it, fetched already or not."""

from __future__ import annotations

from dataclasses import replace

from venom_core.models.references import is_plain, names_match, parse_reference
from venom_core.models.registry import ListedModel, Listing, ModelRegistry
from venom_core.plugins.access import ProviderAccess
from venom_core.sdk.errors import ModelNotFound, NotSupported, VenomError
from venom_core.sdk.provider import Model
from venom_core.sdk.spec import Capability


async def described(host: ProviderAccess, registry: ModelRegistry, name: str) -> ListedModel:
    """Return the model that a name means: an installed one, else one that is offered under this
    name, else one that a provider can tell of without having it (``hf.co/org/repo``).

    Raises ``ModelNotFound``, or what keeps the one provider that knows it from answering.
    """
    item: ListedModel | None
    name = await registry.unaliased(name)
    try:
        item = await registry.resolve(name)
    except ModelNotFound as missing:
        item = _offered(name, await registry.listing())
        if item is None:
            return await _elsewhere(host, registry, name, missing)
    return await _with_details(host, item)


async def _with_details(host: ProviderAccess, item: ListedModel) -> ListedModel:
    if Capability.DESCRIBE not in host.specs()[item.provider].capabilities:
        return item
    try:
        return replace(item, model=await _ask(host, item.provider, item.model.ref))
    except ModelNotFound:
        if item.model.installed:
            raise
        return item  # offered, and nothing more is known before it is fetched


async def _ask(host: ProviderAccess, provider: str, ref: str) -> Model:
    return await (await host.provider(provider)).describe(ref)


def _offered(name: str, listing: Listing) -> ListedModel | None:
    reference = parse_reference(name)
    return next(
        (
            replace(item, id=item.reference)
            for item in listing.models
            if not item.model.installed
            and names_match(reference.name, item.model.ref)
            and reference.provider in (None, item.provider)
        ),
        None,
    )


async def _elsewhere(
    host: ProviderAccess, registry: ModelRegistry, name: str, missing: ModelNotFound
) -> ListedModel:
    """Ask providers for a model that is not listed, where the name has an owner and a
    repository."""
    reference = parse_reference(name)
    if "/" not in reference.name or not is_plain(reference.name):
        raise missing
    reason: VenomError = missing
    names = await registry.providers()
    named = host.resolve_name(reference.provider) if reference.provider else None
    specs = host.specs()
    for provider in [named] if named else names:
        if Capability.DESCRIBE not in specs[provider].capabilities:
            continue
        try:
            model = await _ask(host, provider, reference.name)
        except (ModelNotFound, NotSupported):
            continue
        except VenomError as error:  # another one may know it
            reason = error
            continue
        return ListedModel(provider, model, f"{provider}://{model.ref}")
    raise reason
