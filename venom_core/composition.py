"""The parts put together, for the server and the command line alike.

Making a ``Venom`` reads settings and scans entry points; nothing is imported, opened or connected
before it is used.
"""

from __future__ import annotations

import asyncio
import functools
import os
import secrets
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from venom_core.accounting.ledger import Ledger
from venom_core.accounting.metering import Meter
from venom_core.accounting.quotas import Quotas
from venom_core.chat.answers import Answers
from venom_core.chat.limits import Limits
from venom_core.chat.service import ChatService
from venom_core.chat.sessions import Sessions
from venom_core.models.asked_providers import AskedProviders
from venom_core.models.default_model import Configured, DefaultModel
from venom_core.models.manager import ModelManager
from venom_core.models.memory import ModelMemory
from venom_core.models.registry import ModelRegistry
from venom_core.plugins.host import PluginHost
from venom_core.runtime.charts import Charts
from venom_core.runtime.feed import Feed
from venom_core.runtime.figures import FigureReader
from venom_core.runtime.history import ServiceHistory
from venom_core.runtime.troubles import ServiceTroubles
from venom_core.sdk.hookspecs import ObservedEvent
from venom_core.settings.active_profile import ActiveProfile
from venom_core.settings.layers import Settings
from venom_core.settings.paths import Paths
from venom_core.store.access import Store
from venom_core.store.audit import Actor
from venom_core.usecases.benchmark.running import BenchmarkUseCases
from venom_core.usecases.catalogue import CatalogueUseCases
from venom_core.usecases.engines import EngineUseCases
from venom_core.usecases.fit import FitUseCases
from venom_core.usecases.journal import Journal
from venom_core.usecases.keys import KeyUseCases
from venom_core.usecases.llm_servers import LlmServerUseCases
from venom_core.usecases.models import ModelUseCases
from venom_core.usecases.operations import OperationUseCases
from venom_core.usecases.overview import OverviewUseCases
from venom_core.usecases.plugins import PluginUseCases
from venom_core.usecases.profiles import ProfileUseCases
from venom_core.usecases.responses import ResponseUseCases
from venom_core.usecases.runtime import RuntimeUseCases
from venom_core.usecases.runtime_options import RuntimeOptionUseCases
from venom_core.usecases.selftest.keeping import SelfTestUseCases
from venom_core.usecases.services import ServiceUseCases
from venom_core.usecases.sessions import SessionUseCases
from venom_core.usecases.settings import SettingsUseCases
from venom_core.usecases.starting import EngineControl, ServerModels
from venom_core.usecases.system import SystemUseCases
from venom_core.usecases.usage import UsageUseCases
from venom_core.usecases.warm_up import WarmUp

if TYPE_CHECKING:
    from venom_core.chat.translation import Translator
    from venom_core.models.builds import ModelBuilds
    from venom_core.models.catalogue import Catalogue
    from venom_core.models.operations import Operations
    from venom_core.models.transfers import ModelTransfers

CLOSE_TIMEOUT = 20.0


class Venom:
    """One installation at work: its parts, and the use cases over them.

    Args:
        settings: read and validated.
        host: made over the installed entry points unless a test gives another.
    """

    def __init__(self, settings: Settings, host: PluginHost | None = None) -> None:
        core = settings.core
        self.settings = settings
        self._keeping: asyncio.Task[None] | None = None
        self.profile = ActiveProfile(settings)
        #: Lets the CLI of the same user in without a key of its own; see ``server.json``.
        self.local_token = secrets.token_urlsafe(32)
        self.store = Store(settings.paths.store_file)
        self.host = host or PluginHost(settings, settings.paths)
        self.host.scan()
        self.meter, self.feed = Meter(), Feed()
        self.ledger = Ledger(self.store.usage, core.usage_retention_days)
        self.history = ServiceHistory(self.store.history, self.store.exists)
        observers = {
            "meter": self.meter, "ledger": self.ledger, "feed": self.feed,
            "history": self.history, "troubles": ServiceTroubles(self.report),
        }  # fmt: skip
        for name, observer in observers.items():
            self.host.add_observer(name, observer)
        self.quotas = Quotas(lambda key_id, day: self.store.usage().used(key_id, day))
        self.providers = AskedProviders(self.host, self.profile)
        self.registry = ModelRegistry(
            self.host, self.providers.names, self._order,
            lambda: settings.core.plugin_load_timeout,
            lambda: self.manager.names(),  # noqa: PLW0108 -- it is made below
        )  # fmt: skip
        memory = ModelMemory(self.host, self.registry, self.profile.check_models_run)
        self.manager = ModelManager(
            self.host, self.registry, memory, self.store.in_use, self.store.exists,
            round(core.disk_limit_gb * 1e9), self.report,
        )  # fmt: skip
        self.default_model = DefaultModel(self.manager, self.registry, self.host, self._configured)
        self.self_tests = SelfTestUseCases(
            self.host, self.registry, self.store.self_tests, self.store.exists,
            lambda name: self.report(ObservedEvent("model.tested", {"reference": name})),
        )  # fmt: skip
        self.chat = ChatService(
            self.host, self.registry, Limits.from_settings(core), self.default_model,
            self.profile.check_models_run, self.report, self.quotas,
            overrides=self.manager.overrides, native_tools=self.self_tests.reads_tools,
        )  # fmt: skip
        self.conversations = Sessions(self.store.sessions, self.store.exists)
        self.answers = Answers(self.chat, self.conversations)
        self._figures = FigureReader(settings.paths.models_dir)
        self._charts = Charts(self._figures)
        self.host.add_observer("charts", self._charts)
        self.journal = Journal(self.store, self.report)
        self.runtime = RuntimeUseCases(
            self.host, self.registry, self.manager, self.profile, self._figures
        )
        self.system = SystemUseCases(self.runtime, self._figures, self._charts)
        self.engines = EngineUseCases(self.host, self.providers)
        self._server_models = ServerModels(
            self.registry, self.manager, self.default_model, lambda: settings.core.llm_model_name
        )
        control = EngineControl(self.host, self.registry, self.manager, self._server_models)
        self.services = ServiceUseCases(
            self.host, self.providers, control, self.history, self.journal, settings.paths
        )
        self.llm_servers = LlmServerUseCases(
            self.host, self.providers, self.manager, self.default_model, self._server_models,
            self.runtime, self.services, settings, self.journal,
        )  # fmt: skip
        self.runtime_options = RuntimeOptionUseCases(
            self.host, self.registry, self.manager, self.services, self.llm_servers
        )
        self.models = ModelUseCases(
            self.host, self.registry, self.manager, lambda: self._transfers, self.default_model,
            self.runtime, self.journal, self.self_tests,
        )  # fmt: skip
        self.operations = OperationUseCases(
            self.host, lambda: self._jobs, self.store.exists, self.journal, lambda: self._builds
        )
        self.warm_up = WarmUp(
            settings, self.providers, self.registry, self.manager, self.default_model,
            self.operations, self.journal,
        )  # fmt: skip
        self.profiles = ProfileUseCases(
            self.host, self.chat, memory, self.profile, settings, self.journal
        )
        self.benchmarks = BenchmarkUseCases(
            self.chat, memory, self.engines, self.store.benchmarks, self.store.exists,
            self.journal, lambda view: self.feed.publish("benchmarks", view),
        )  # fmt: skip
        self.plugins = PluginUseCases(self.host, self.journal, settings)
        self.configuration = SettingsUseCases(self.host, settings, self.journal)
        self.configuration.when_changed(self._work_with)
        self.sessions = SessionUseCases(self.conversations, self.journal, self.answers)
        self.responses = ResponseUseCases(self.store.responses, self.store.exists)
        self.usage = UsageUseCases(self.store, self.ledger)
        self.keys = KeyUseCases(self.store)
        self.fit = FitUseCases(self.host, self.models)
        self.catalogue = CatalogueUseCases(lambda: self._sources)
        self.overview = OverviewUseCases(
            self.host, self.registry, self.profile, self.default_model, settings
        )

    @classmethod
    def from_environment(
        cls, env: Mapping[str, str] | None = None, flags: Mapping[str, object] | None = None
    ) -> Venom:
        """Make one over ``os.environ`` and the data directory it names. Raises ``InvalidRequest``
        for a setting that cannot be used."""
        env = os.environ if env is None else env
        return cls(Settings.load(Paths.resolve(env), env, flags))

    def _configured(self) -> Configured:
        core = self.settings.core
        return Configured(core.active_llm_server, core.llm_model_name, core.default_model)

    async def _work_with(self, keys: Collection[str], actor: Actor) -> None:
        """Work with settings that were changed, where their part keeps a value of its own."""
        core = self.settings.core
        self.chat.limits = self.chat.limits.following(core)
        self.manager.disk_limit_bytes = round(core.disk_limit_gb * 1e9)
        self.ledger.retention_days = core.usage_retention_days
        if "runtime.profile" in keys:
            await self.profiles.switch(core.runtime_profile, actor, behind=True)

    def _order(self) -> Sequence[str]:
        """Return the providers that are preferred for a bare name: the active server first."""
        order, server = self.providers.order, self.settings.core.active_llm_server
        first = None if server is None else self.host.resolve_name(server)
        return order if first is None else [first, *(name for name in order if name != first)]

    # Made at their first use: the start does not pay for them.

    @functools.cached_property
    def translator(self) -> Translator:
        from venom_core.chat.translation import Translator

        async def chosen() -> tuple[str, str] | None:
            return (await self.manager.state()).active.get("translation")

        return Translator(self.chat, chosen)

    @functools.cached_property
    def _transfers(self) -> ModelTransfers:
        from venom_core.models.transfers import ModelTransfers

        return ModelTransfers(self.host, self.registry, self.report, self.manager.check_removable)

    @functools.cached_property
    def _builds(self) -> ModelBuilds:
        from venom_core.models.builds import ModelBuilds

        return ModelBuilds(self.host, self.registry, self.report)

    @functools.cached_property
    def _jobs(self) -> Operations:
        from venom_core.models.operations import Operations

        return Operations(
            self.store.operations, self.host, self._transfers,
            self._builds, self.manager.check_room,
            lambda view: self.feed.publish("operations", view),
        )  # fmt: skip

    @functools.cached_property
    def _sources(self) -> Catalogue:
        from venom_core.models.catalogue import Catalogue

        return Catalogue(
            self.host, self.registry.providers, lambda: self.registry.listing(fresh=False)
        )

    # Life

    async def start(self) -> None:
        """Begin to load the plugins; returns before they are loaded."""
        self.host.watch()
        self.host.apply_profile(self.profile.name, self.profile.excludes)
        self.providers.begin_loading()
        keeping = asyncio.to_thread(self.settings.keep_good)  # may wait for another writer
        self._keeping = asyncio.create_task(keeping, name="keep settings")

    async def close(self) -> None:
        """End every task, provider and engine process."""
        if self._keeping is not None:
            await asyncio.wait({self._keeping})
        for owner in (
            self.answers,
            self.benchmarks,
            self.warm_up,
            self.operations,
            self.plugins,
            self.profiles,
        ):
            await owner.close()
        await self.providers.close()
        self.feed.close()
        for name in ("_jobs", "_sources"):  # where they were made at all
            if name in self.__dict__:
                await self.__dict__[name].close()
        for part in (self._charts, self._figures, self.manager, self.registry):
            await part.close()
        try:
            async with asyncio.timeout(CLOSE_TIMEOUT):
                await self.host.close()
        finally:
            await self.ledger.close()  # after the last stream has ended
            await self.history.close()
        self.store.close()

    def report(self, event: ObservedEvent) -> None:
        """Hand an event to the observers, off the caller's path."""
        asyncio.get_running_loop().call_soon(self.host.observe, event)
