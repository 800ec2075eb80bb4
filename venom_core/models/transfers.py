"""Pulls and removals: asked of the provider that owns the model, seen by the registry at once."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence

from venom_core.models.references import check_plain, parse_reference
from venom_core.models.registry import ListedModel, ModelRegistry
from venom_core.plugins.access import ProviderAccess
from venom_core.sdk.errors import (
    InvalidRequest,
    ModelNotFound,
    NotFound,
    UpstreamIncomplete,
    VenomError,
)
from venom_core.sdk.hookspecs import ObservedEvent
from venom_core.sdk.provider import PullPlan, PullProgress
from venom_core.sdk.spec import Capability
from venom_core.sdk.states import Reason


class ModelTransfers:
    """Pull and remove by name."""

    def __init__(
        self,
        host: ProviderAccess,
        registry: ModelRegistry,
        report: Callable[[ObservedEvent], None],
        check_removable: Callable[[ListedModel], Awaitable[None]],
    ) -> None:
        self._check_removable = check_removable
        self._host = host
        self._registry = registry
        self._report = report

    async def plan(self, name: str) -> tuple[str, PullPlan]:
        """Return the provider that can fetch ``name``, and its plan.

        A qualified reference says who; a name that a provider lists or proposes is its own; for
        any other each that fetches is asked, the preferred first. Raises ``ModelNotFound``,
        ``NotFound``, or, where none that answers has it, what keeps the others from answering.
        """
        candidates, absent = await self._candidates(name)
        refused: list[VenomError] = []
        for provider, ref in candidates:
            try:
                return provider, await (await self._host.provider(provider)).plan_pull(ref)
            except (ModelNotFound, InvalidRequest) as error:
                if len(candidates) == 1 and not absent:
                    raise
                refused.append(error)
        raise self._nobody_has(name, refused, absent)

    async def _candidates(self, name: str) -> tuple[list[tuple[str, str]], list[Reason]]:
        """Return who may have it, each with the name as it takes it, and why others that may have
        it do not answer."""
        name = await self._registry.unaliased(name, param="name")
        reference = parse_reference(name, param="name")
        names = await self._registry.providers()  # at a start, plugins are loading still
        if reference.provider is not None:
            provider = self._host.resolve_name(reference.provider)
            if provider is None:
                raise NotFound(
                    f"There is no provider {reference.provider!r}.",
                    code="provider_not_found",
                    param="name",
                    fix="See the installed providers with: venom plugins",
                )
            check_plain(reference.name, param="name")
            return [(provider, reference.name)], []
        listing = await self._registry.listing()
        if listing.stale:  # who was late may be the one that has it
            listing = await self._registry.listing(fresh=True, patient=True)
        for item in listing.models:
            if item.model.ref == name:
                return [(item.provider, name)], []
        check_plain(name, param="name")
        specs = self._host.specs()
        sources = [one for one in names if Capability.PULL in specs[one].capabilities]
        sources.sort(key=lambda one: all(name != known.name for known in specs[one].proposals))
        absent = [listing.stale[one] for one in sources if one in listing.stale]
        return [(one, name) for one in sources if one not in listing.stale], absent

    def _nobody_has(
        self, name: str, refused: Sequence[VenomError], absent: Sequence[Reason]
    ) -> VenomError:
        if absent:
            error = absent[0].error()
            error.message = f"Nobody who answers now can fetch {name!r}. {error.message}"
            return error
        if refused:
            return refused[0]
        return ModelNotFound(
            f"No provider can fetch {name!r} now.",
            param="name",
            fix="See the providers and what they need with: venom plugins",
        )

    async def fetch(self, provider_name: str, ref: str) -> AsyncGenerator[PullProgress, None]:
        """Fetch a model from its source; ends after ``completed``, else raises. ``aclose()`` stops
        the transfer."""
        provider = await self._host.provider(provider_name)
        completed = False
        async with contextlib.aclosing(provider.pull(ref)) as steps:
            async for step in steps:
                completed = step.status == "completed"
                if completed:
                    self._changed("model.pulled", provider_name, ref)
                yield step
        if not completed:
            raise UpstreamIncomplete("The pull ended before it was complete.", fix="Pull it again.")

    async def removable(self, name: str) -> ListedModel:
        """Return the installed model that a name means. Raises ``ModelNotFound``, and
        ``InvalidRequest`` (``model_active``) for one that is in use."""
        item = await self._registry.resolve(name)
        await self._check_removable(item)
        return item

    async def delete(self, provider_name: str, ref: str) -> None:
        """Delete an installed model. Raises ``ModelNotFound``."""
        provider = await self._host.provider(provider_name)
        await provider.remove(ref)
        self._changed("model.removed", provider_name, ref)

    async def remove(self, name: str) -> str:
        """Delete the installed model that a name means; gives its reference."""
        item = await self.removable(name)
        await self.delete(item.provider, item.model.ref)
        return item.reference

    def _changed(self, event: str, provider: str, ref: str) -> None:
        self._registry.forget(provider)
        self._report(ObservedEvent(event, {"provider": provider, "model": ref}))
