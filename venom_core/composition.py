"""Where the parts are put together, for the server and the CLI alike.

Making a ``Venom`` reads settings and scans entry points; nothing is imported, opened or connected
before it is used.
"""

from __future__ import annotations

import asyncio
import functools
import logging
import os
import secrets
import threading
from collections.abc import Coroutine, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from venom_core.accounting.ledger import Ledger
from venom_core.accounting.metering import Meter
from venom_core.accounting.quotas import Quotas
from venom_core.chat.limits import Limits
from venom_core.chat.parameters import Policy
from venom_core.chat.service import ChatService
from venom_core.chat.sessions import Sessions
from venom_core.models.fit import fits_memory
from venom_core.models.manager import ModelManager
from venom_core.models.memory import ModelMemory
from venom_core.models.registry import ListedModel, ModelRegistry
from venom_core.models.roles import Role
from venom_core.plugins.host import PluginHost
from venom_core.runtime.feed import Feed
from venom_core.runtime.figures import FigureReader
from venom_core.sdk.errors import ModelNotFound, VenomError
from venom_core.sdk.hookspecs import ObservedEvent
from venom_core.sdk.machine import this_machine
from venom_core.sdk.states import ProviderStatus, Reason
from venom_core.settings.layers import Settings
from venom_core.settings.paths import Paths
from venom_core.settings.profiles import Profile, find_profile
from venom_core.store.audit import Actor, write_audit
from venom_core.store.in_use import InUseRepository
from venom_core.store.sessions import SessionRepository

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from venom_core.chat.translation import Translator
    from venom_core.models.catalogue import Catalogue
    from venom_core.models.operations import Operations
    from venom_core.models.transfers import ModelTransfers
    from venom_core.sdk.provider import PullPlan
    from venom_core.store.keys import KeyRepository
    from venom_core.store.ledger import UsageRepository
    from venom_core.usecases.runtime import RuntimeStatus

log = logging.getLogger(__name__)

CLOSE_TIMEOUT = 20.0
LOADING_PATIENCE = 1.0


class Venom:
    """One installation at work.

    Args:
        settings: read and validated.
        host: made over the installed entry points unless a test gives another.
    """

    def __init__(self, settings: Settings, host: PluginHost | None = None) -> None:
        core = settings.core
        self.settings = settings
        self.profile: Profile = find_profile(core.runtime_profile)
        self.host = host or PluginHost(settings, settings.paths)
        self.host.scan()
        self.meter = Meter()
        self.host.add_observer("meter", self.meter)
        self.quotas = Quotas(lambda key_id, day: self.usage.used(key_id, day))  # noqa: PLW0108 -- opens the store at its first use
        self.ledger = Ledger(lambda: self.usage, core.usage_retention_days)
        self.host.add_observer("ledger", self.ledger)
        self.registry = ModelRegistry(
            self._providers,
            lambda: self.profile.order,
            self.host.provider,
            self.host.resolve_name,
            self.host.offered,
            lambda: self.manager.names(),  # noqa: PLW0108 -- it is made below
        )
        self.manager = ModelManager(
            self.host,
            self.registry,
            ModelMemory(self.host, self.registry, core.answer_timeout, lambda: self.profile.chat),
            lambda: InUseRepository(self.database),
            settings.paths.store_file.exists,
            round(core.disk_limit_gb * 1e9),
            self.report,
        )
        limits = Limits(
            policy=cast(Policy, core.parameter_policy),
            max_concurrent=core.max_concurrent,
            queue_size=core.queue_size,
            queue_timeout=core.queue_timeout,
            answer_timeout=core.answer_timeout,
            stall_timeout=core.stall_timeout,
        )
        self.chat = ChatService(
            self.host,
            self.registry,
            limits,
            self.default_model,
            lambda: self.profile.chat,
            self.report,
            self.quotas,
            overrides=self.manager.overrides,
        )
        self.sessions = Sessions(
            lambda: SessionRepository(self.database), settings.paths.store_file.exists
        )
        #: What changes, for whoever watches.
        self.feed = Feed()
        self.host.add_observer("feed", self.feed)
        #: Lets the CLI of the same user in without a key of its own; see ``server.json``.
        self.local_token = secrets.token_urlsafe(32)
        self._operations: Operations | None = None
        self._catalogue: Catalogue | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._loading: asyncio.Task[None] | None = None
        self._figures = FigureReader(settings.paths.models_dir)
        self._database: Engine | None = None
        self._opening_database = threading.Lock()

    @classmethod
    def from_environment(
        cls, env: Mapping[str, str] | None = None, flags: Mapping[str, object] | None = None
    ) -> Venom:
        """Over ``os.environ`` and the data directory it names. Raises ``InvalidRequest`` for a
        setting that cannot be used."""
        env = os.environ if env is None else env
        return cls(Settings.load(Paths.resolve(env), env, flags))

    async def start(self) -> None:
        """Begin to load the plugins; returns before they are loaded."""
        await self.host.apply_profile(self.profile.name, self.profile.excludes)
        self._begin_loading()

    def _begin_loading(self) -> asyncio.Task[None]:
        if self._loading is None:
            self._loading = self._own(self.host.load_all())
        return self._loading

    async def close(self) -> None:
        """End every task, provider and engine process."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self.feed.close()
        if self._operations is not None:
            await self._operations.close()
        if self._catalogue is not None:
            await self._catalogue.close()
        await self._figures.close()
        await self.manager.close()
        await self.registry.close()
        try:
            async with asyncio.timeout(CLOSE_TIMEOUT):
                await self.host.close()
        finally:
            await self.ledger.close()  # after the last stream has ended
        with self._opening_database:
            if self._database is not None:
                self._database.dispose()

    @property
    def database(self) -> Engine:
        """The store, opened and migrated at first use, one engine for all. Call it in a thread;
        where only reading is meant and ``paths.store_file`` is not there, do not call it."""
        from venom_core.store.database import open_database

        with self._opening_database:
            if self._database is None:
                self._database = open_database(self.settings.paths.store_file)
            return self._database

    @property
    def keys(self) -> KeyRepository:
        """The API keys; opens the store. Call it, and its methods, in a thread."""
        from venom_core.store.keys import KeyRepository

        return KeyRepository(self.database)

    def audit(
        self,
        actor: Actor,
        action: str,
        subject: str,
        before: Mapping[str, Any] | None,
        after: Mapping[str, Any] | None,
    ) -> None:
        """Write down a change that was made outside the store. Blocks: call it in a thread."""
        from venom_core.store.database import writing

        with writing(self.database) as connection:
            write_audit(connection, actor, action, subject, before, after)

    @property
    def usage(self) -> UsageRepository:
        """The usage ledger as it was last written; as :attr:`keys`."""
        from venom_core.store.ledger import UsageRepository

        return UsageRepository(self.database)

    @functools.cached_property
    def transfers(self) -> ModelTransfers:
        """Pulls and removals."""
        from venom_core.models.transfers import ModelTransfers

        return ModelTransfers(self.host, self.registry, self.report, self.manager.check_removable)

    @property
    def catalogue(self) -> Catalogue:
        """What sources offer, kept for a while."""
        if self._catalogue is None:
            from venom_core.models.catalogue import Catalogue

            self._catalogue = Catalogue(
                self.host, self.registry.providers, lambda: self.registry.listing(fresh=False)
            )
        return self._catalogue

    @functools.cached_property
    def translator(self) -> Translator:
        """Translation by the model of that role."""
        from venom_core.chat.translation import Translator

        async def chosen() -> tuple[str, str] | None:
            return (await self.manager.state()).active.get("translation")

        return Translator(self.chat, chosen)

    @property
    def operations(self) -> Operations:
        """Installs and removals as durable jobs; the store is opened at the first of them."""
        if self._operations is None:
            from venom_core.models.operations import Operations
            from venom_core.store.operations import OperationRepository

            self._operations = Operations(
                lambda: OperationRepository(self.database),
                self.host,
                self.transfers,
                self._check_room,
                lambda view: self.feed.publish("operations", view),
            )
        return self._operations

    async def _check_room(self, plan: PullPlan) -> None:
        from venom_core.models.space import check_space

        await asyncio.to_thread(check_space, plan)
        if plan.bytes_total is not None:
            await self.manager.check_disk_limit(plan.bytes_total)

    def resume_operations(self) -> None:
        """Go on with what the process before left unfinished, behind what comes first."""
        self._own(self._resume_operations())

    async def _resume_operations(self) -> None:
        from venom_core.store.interrupted import any_interrupted

        if await asyncio.to_thread(any_interrupted, self.settings.paths.store_file):
            await self.operations.resume_interrupted()

    async def default_model(self, role: Role = "chat") -> tuple[ListedModel, str]:
        """The model for a request that names none, and why this one: the active one of the role,
        else the best that is installed. Raises ``ModelNotFound``, or what keeps the provider of
        the active model from answering: another one does not take its place unasked."""
        gone = False
        for one in (role, "chat") if role == "translation" else (role,):
            try:
                if (item := await self.manager.active(one)) is not None:
                    return item, f"the active model for {one}"
            except ModelNotFound:
                gone = True
        machine = await asyncio.to_thread(this_machine)
        pattern = f"ollama://{self.settings.core.ollama_model}"
        item, because = await self.registry.default(
            pattern, lambda model: fits_memory(model, machine.memory_available_bytes)
        )
        return item, f"the active model was removed; {because}" if gone else because

    async def overview(self) -> dict[str, Any]:
        """What a first screen shows; see ``venom_core.usecases.overview``."""
        from venom_core.usecases.overview import overview

        return await overview(self.host, self.registry, self.profile, self.default_model)

    async def describe(self, name: str) -> ListedModel:
        """A model with everything its provider knows of it, fetched already or not."""
        from venom_core.models.describing import described

        return await described(self.host, self.registry, name)

    async def fit(self, name: str, context: int | None = None) -> dict[str, Any]:
        """Whether a model fits into this machine's memory; see ``venom_core.usecases.fit``."""
        from venom_core.usecases.fit import fit_view

        return await fit_view(self.host, await self.describe(name), context)

    async def models(self) -> dict[str, Any]:
        """Every model, which are active, and the runtime that answers where none is named."""
        from venom_core.models.views import listing_view

        listing = await self.registry.listing(fresh=True)
        active: dict[str, list[str]] = {}
        for role, key in (await self.manager.state()).active.items():
            if role != "chat":
                active.setdefault("{}://{}".format(*key), []).append(role)
        answering: ListedModel | None = None
        try:
            answering, _ = await self.default_model()
            active.setdefault(answering.reference, []).insert(0, "chat")
            why = listing.stale.get(answering.provider)
        except VenomError as error:
            why = Reason.of(error)
        runtime = await self.runtime(answering, why)
        return {**listing_view(listing, active), "active": runtime}

    async def runtime(self, item: ListedModel | None, why: Reason | None = None) -> dict[str, Any]:
        """Which runtime serves a model (``RuntimePayload``); ``why`` it cannot answer now."""
        from venom_core.usecases.runtime import runtime_payload

        if item is None:
            return runtime_payload(None, None, None, "offline", why)
        endpoint = None
        try:
            endpoint = (await self.host.provider(item.provider)).endpoint
        except VenomError as error:
            why = why or Reason.of(error)
        known = {p.name: p.status for record in self.host.records() for p in record.providers}
        status: RuntimeStatus = "ready" if item.model.loaded is False else "online"
        if known.get(item.provider) is ProviderStatus.DEGRADED:
            status = "degraded"
        spec = self.host.specs()[item.provider]
        return runtime_payload(item, spec, endpoint, "offline" if why else status, why)

    async def generation(self, name: str, runtime: str | None = None) -> dict[str, Any]:
        """The generation parameters of a model: schema, values, saved, effective, default."""
        from venom_core.models.views import generation_view

        item = await self._installed(name, runtime)
        saved = await self.manager.overrides(item)
        return generation_view(item, self.manager.generation(item, saved))

    async def configure(
        self, name: str, runtime: str | None, parameters: Mapping[str, Any], actor: Actor
    ) -> dict[str, Any]:
        """Store generation parameters in place of what was stored; none forgets them."""
        item = await self._installed(name, runtime)
        kept = await self.manager.configure(item, parameters, actor)
        return {
            "success": True,
            "model_name": item.model.ref,
            "reference": item.reference,
            "runtime": item.provider,
            "params": kept,
        }

    async def _installed(self, name: str, runtime: str | None) -> ListedModel:
        return await self.describe((await self.manager.servable(name, runtime)).reference)

    async def figures(self) -> dict[str, Any]:
        """What models and machine take now; asks no provider for it."""
        from venom_core.usecases.figures import usage_view

        known = self.registry.known()
        count = None if known is None else len(known.installed)
        return usage_view(
            await self._figures.read(),
            self.manager.disk_bytes(),
            self.manager.disk_limit_bytes,
            count,
        )

    async def loaded(self) -> list[dict[str, Any]]:
        """Models in memory over all providers that can tell; one that is down has none."""
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
            for one in await self.manager.memory.loaded()
        ]

    async def readiness(self) -> list[Reason]:
        """What keeps the profile from being served; empty when it is."""
        reasons: list[Reason] = []
        for name in self.profile.requires:
            try:
                health = await self.host.health(name)
            except VenomError as error:  # not installed, disabled, or its import failed
                reasons.append(Reason.of(error))
                continue
            if health.status in (ProviderStatus.READY, ProviderStatus.DEGRADED):
                return []
            if health.reason is not None:
                reasons.append(health.reason)
        return reasons

    def report(self, event: ObservedEvent) -> None:
        """Hand an event to the observers, off the caller's path."""
        asyncio.get_running_loop().call_soon(self.host.observe, event)

    async def _providers(self) -> Sequence[str]:
        """Providers that may be asked, the profile's order first.

        A plugin that is slow to load is waited for a moment, not until its deadline.
        """
        loading = self._begin_loading()
        if not loading.done():
            await asyncio.wait({loading}, timeout=LOADING_PATIENCE)
        order = self.profile.order
        ranked = sorted(
            self.host.specs(),
            key=lambda name: order.index(name) if name in order else len(order),
        )
        return [name for name in ranked if name not in self.profile.excludes]

    def _own(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task
