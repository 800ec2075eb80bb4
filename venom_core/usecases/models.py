"""Models: what there is, what is in use, what is in memory; choosing, configuring, removing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from typing_extensions import TypedDict

from venom_core.models.aliases import AliasFaults
from venom_core.models.default_model import DefaultModel
from venom_core.models.describing import described
from venom_core.models.generation import ParameterView
from venom_core.models.manager import ModelManager, Switch
from venom_core.models.registry import ListedModel, ModelRegistry
from venom_core.models.roles import Role
from venom_core.models.views import (
    GenerationView,
    ModelCapabilities,
    ModelDetails,
    ModelListing,
    capabilities_view,
    details_view,
    generation_view,
    listing_view,
    schema_view,
)
from venom_core.plugins.access import ProviderAccess
from venom_core.sdk.errors import UpstreamError, VenomError
from venom_core.sdk.records import ReasonRecord
from venom_core.sdk.states import Reason
from venom_core.store.audit import Actor
from venom_core.usecases.journal import Journal
from venom_core.usecases.runtime import RuntimePayload, RuntimeUseCases
from venom_core.usecases.selftest.keeping import SelfTestUseCases

if TYPE_CHECKING:
    from venom_core.models.transfers import ModelTransfers


class Done(TypedDict):
    """A change was made; ``message`` is the sentence that says so."""

    success: bool
    message: str


class Switched(Done):
    """A model is the active one of a role; ``before`` is the reference of the one that was."""

    role: Role
    reference: str
    before: str | None
    loaded: bool


class SwitchResult(Switched):
    """``active_model`` is the model's own name."""

    active_model: str


class ActivateResult(Switched):
    """``runtime`` is the one that serves the model."""

    runtime: RuntimePayload


class DeactivateResult(Done):
    """A role has no active model; ``before`` is the reference of the one that was."""

    role: Role
    before: str | None


class UnloadAllResult(Done):
    """Every provider has emptied its memory; ``unloaded`` are the references that were in it."""

    unloaded: list[str]


class ConfigureResult(TypedDict):
    """Generation parameters are stored; ``params`` are all that are set now."""

    success: bool
    model_name: str
    reference: str
    runtime: str
    params: dict[str, Any]


class AllModels(ModelListing):
    """``active`` is the runtime that answers where no model is named."""

    active: RuntimePayload


class CapabilitiesAndParameters(ModelCapabilities):
    """``generation_schema`` says what can be set."""

    generation_schema: dict[str, ParameterView]


class CapabilitiesResult(TypedDict):
    success: bool
    model_name: str
    capabilities: CapabilitiesAndParameters


class LoadResult(Done):
    """``loaded`` is false where the provider loads a model at its first question only."""

    reference: str
    loaded: bool


class AliasRecord(TypedDict):
    """``problem`` is null, or says that the alias hides a model or leads to none."""

    name: str
    target: str
    problem: ReasonRecord | None


class AliasesResult(TypedDict):
    success: bool
    aliases: list[AliasRecord]
    count: int


class SetAliasResult(Done):
    name: str
    target: str
    problem: ReasonRecord | None


class LoadedRecord(TypedDict):
    """A model in memory; ``expires_at`` is ISO 8601 in UTC, null for "until stopped"."""

    name: str
    provider: str
    reference: str
    size_bytes: int | None
    vram_bytes: int | None
    context_length: int | None
    expires_at: str | None


class ModelUseCases:
    """Use cases of models. Whatever changes something takes the actor, and leaves an audit
    entry and an event."""

    def __init__(
        self,
        host: ProviderAccess,
        registry: ModelRegistry,
        manager: ModelManager,
        transfers: Callable[[], ModelTransfers],
        default_model: DefaultModel,
        runtime: RuntimeUseCases,
        journal: Journal,
        self_tests: SelfTestUseCases,
    ) -> None:
        self._host = host
        self._registry = registry
        self._manager = manager
        self._transfers = transfers
        self._default_model = default_model
        self._runtime = runtime
        self._journal = journal
        self._self_tests = self_tests

    # What there is

    async def listing(self) -> AllModels:
        """Return every model, which are active, and the runtime that answers where none is
        named."""
        listing = await self._registry.listing(fresh=True)
        active: dict[str, list[str]] = {}
        for role, key in (await self._manager.state()).active.items():
            if role != "chat":
                active.setdefault("{}://{}".format(*key), []).append(role)
        answering: ListedModel | None = None
        try:
            answering, _ = await self._default_model()
            active.setdefault(answering.reference, []).insert(0, "chat")
            why = listing.stale.get(answering.provider)
        except VenomError as error:
            why = Reason.of(error)
        runtime = await self._runtime.payload(answering, why)
        tests = await self._self_tests.views(listing.models)
        return {**listing_view(listing, active, tests), "active": runtime}

    async def describe(self, name: str) -> ListedModel:
        """Return a model with everything its provider knows of it, fetched already or not. Raises
        ``ModelNotFound``, or what keeps its provider from answering."""
        return await described(self._host, self._registry, name)

    async def details(self, name: str) -> ModelDetails:
        """Return everything that is known of one model; raises as :meth:`describe`."""
        item = await self.describe(name)
        return details_view(item, await self._self_tests.views([item]))

    async def capabilities(self, name: str) -> CapabilitiesResult:
        """Return what a model can do as it says itself, null where it does not; raises as
        :meth:`describe`."""
        item = await self.describe(name)
        capabilities: CapabilitiesAndParameters = {
            **capabilities_view(item, self._host.specs()[item.provider]),
            "generation_schema": schema_view(self._manager.generation(item, {})),
        }
        return {"success": True, "model_name": item.model.ref, "capabilities": capabilities}

    async def loaded(self) -> list[LoadedRecord]:
        """Return the models in memory over all providers that can tell; one that is down has
        none."""
        return [
            {
                "name": one.model.ref,
                "provider": one.provider,
                "reference": one.reference,
                "size_bytes": one.model.size_bytes,
                "vram_bytes": one.model.vram_bytes,
                "context_length": one.model.context_length,
                "expires_at": one.model.expires_at,
            }
            for one in await self._manager.memory.loaded()
        ]

    # What is in use

    async def use(
        self, name: str, role: Role = "chat", *, load: bool = False, actor: Actor
    ) -> SwitchResult:
        """Make a model the active one of a role; raises as ``ModelManager.use``."""
        switch = await self._manager.use(name, role=role, load=load, actor=actor)
        return {**_switched(switch), "active_model": switch.item.model.ref}

    async def activate(
        self, name: str, runtime: str, role: Role = "chat", *, load: bool = False, actor: Actor
    ) -> ActivateResult:
        """Make a model that a named runtime serves the active one of a role; raises as
        ``ModelManager.use``."""
        switch = await self._manager.use(name, role=role, runtime=runtime, load=load, actor=actor)
        served = await self._runtime.payload(switch.item)
        return {**_switched(switch), "runtime": served}

    async def deactivate(self, role: Role, actor: Actor) -> DeactivateResult:
        """Let a role have no active model; where none was, nothing changes."""
        before = await self._manager.deactivate(role, actor)
        if before is not None:
            self._journal.publish("model.deactivated", role=role, reference=before)
        message = f"No model is active for {role} now."
        return {"success": True, "message": message, "role": role, "before": before}

    # What is in memory

    async def load(self, name: str, actor: Actor) -> LoadResult:
        """Bring a model into memory. Raises as ``ModelManager.load``."""
        item, loaded = await self._manager.load(name)
        reference = item.reference
        if loaded:
            await self._journal.record_audit(
                actor, "model.load", reference, {"loaded": False}, {"loaded": True}
            )
            self._journal.publish("model.loaded", reference=reference)
        message = f"{reference} is in memory."
        later = f"{reference} comes into memory with its first question: its provider says so."
        said = message if loaded else later
        return {"success": True, "message": said, "reference": reference, "loaded": loaded}

    async def unload(self, name: str, actor: Actor) -> Done:
        """Take a model out of memory; it stays active where it was."""
        reference = (await self._manager.unload(name)).reference
        await self._journal.record_audit(
            actor, "model.unload", reference, {"loaded": True}, {"loaded": False}
        )
        self._journal.publish("model.unloaded", reference=reference)
        return {"success": True, "message": f"{reference} is no longer in memory."}

    async def unload_all(self, actor: Actor) -> UnloadAllResult:
        """Ask every provider to take its models out of memory. Raises ``UpstreamError``
        (``unload_incomplete``) where one failed; the others have done it then, and it is
        recorded."""
        gone, faults = await self._manager.memory.unload_all()
        await self._journal.record_audit(
            actor, "model.unload_all", "every provider", None, {"unloaded": gone}
        )
        for reference in gone:
            self._journal.publish("model.unloaded", reference=reference)
        if faults:
            first = next(iter(faults.values()))
            raise UpstreamError(
                f"Not everything was taken out of memory. {first.message}",
                code="unload_incomplete",
                fix=first.fix,
            ) from first
        message = f"No longer in memory: {', '.join(gone)}." if gone else "No model was in memory."
        return {"success": True, "message": message, "unloaded": gone}

    async def remove(self, name: str, actor: Actor) -> Done:
        """Delete an installed model. Raises ``ModelNotFound``, and ``InvalidRequest``
        (``model_active``) for one that is in use."""
        reference = await self._transfers().remove(name)
        await self._journal.record_audit(
            actor, "model.remove", reference, {"installed": True}, {"installed": False}
        )
        return {"success": True, "message": f"{reference} was removed."}

    # Generation parameters

    async def generation(self, name: str, runtime: str | None = None) -> GenerationView:
        """Return the generation parameters of a model: schema, values, saved, effective,
        default."""
        item = await self._installed(name, runtime)
        saved = await self._manager.overrides(item)
        return generation_view(item, self._manager.generation(item, saved))

    async def configure(
        self, name: str, runtime: str | None, parameters: Mapping[str, Any], actor: Actor
    ) -> ConfigureResult:
        """Store generation parameters in place of what was stored; none forgets them. Raises
        ``InvalidRequest`` (``invalid_parameters``)."""
        item = await self._installed(name, runtime)
        before = await self._manager.overrides(item)
        kept = await self._manager.configure(item, parameters, actor)
        if kept != before:
            self._journal.publish("model.configured", reference=item.reference)
        return {
            "success": True,
            "model_name": item.model.ref,
            "reference": item.reference,
            "runtime": item.provider,
            "params": kept,
        }

    async def _installed(self, name: str, runtime: str | None) -> ListedModel:
        return await self.describe((await self._manager.servable(name, runtime)).reference)

    # Aliases

    async def aliases(self) -> AliasesResult:
        """Return every alias, its target and what is wrong with it, by name."""
        known = (await self._manager.state()).aliases
        listed: list[AliasRecord] = [
            {"name": name, "target": target, "problem": await self._problem(name)}
            for name, target in sorted(known.items())
        ]
        return {"success": True, "aliases": listed, "count": len(listed)}

    async def set_alias(self, name: str, target: str, actor: Actor) -> SetAliasResult:
        """Let a name stand for a reference, a bare name or another alias. Raises
        ``InvalidRequest``."""
        await self._manager.set_alias(name, target, actor)
        self._journal.publish("alias.set", alias=name, target=target)
        return {
            "success": True,
            "message": f"{name} stands for {target} now.",
            "name": name,
            "target": target,
            "problem": await self._problem(name),
        }

    async def _problem(self, name: str) -> ReasonRecord | None:
        faults = AliasFaults(self._registry, (await self._manager.state()).aliases)
        try:
            reason = await faults.of(name)
        except VenomError:  # its provider cannot be asked now, which says nothing of the alias
            return None
        return None if reason is None else reason.record()

    async def remove_alias(self, name: str, actor: Actor) -> Done:
        """Forget an alias. Raises ``NotFound`` (``alias_not_found``)."""
        target = await self._manager.remove_alias(name, actor)
        self._journal.publish("alias.removed", alias=name)
        return {"success": True, "message": f"{name} does not stand for {target} any more."}


def _switched(switch: Switch) -> Switched:
    reference = switch.item.reference
    changed = f"{reference} is now the active model for {switch.role}."
    same = f"{reference} was the active model for {switch.role} already."
    return {
        "success": True,
        "message": changed if switch.changed else same,
        "role": switch.role,
        "reference": reference,
        "before": switch.before,
        "loaded": switch.loaded,
    }
