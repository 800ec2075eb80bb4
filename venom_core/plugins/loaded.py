"""From what is installed to an opened provider: finding, judging, loading.

Whatever a plugin does, the others go on, and its record says what happened. What is done with
plugins besides is in ``host``.
"""

from __future__ import annotations

import asyncio
import importlib
import logging
from collections.abc import Callable

from venom_core.plugins import discovery, gates, loader
from venom_core.plugins.directory import ProviderDirectory, conflicting_providers
from venom_core.plugins.discovery import Scan
from venom_core.plugins.installed import InstalledPlugin
from venom_core.plugins.load_failures import LoadError
from venom_core.plugins.markers import CrashMarkers, crash_reason
from venom_core.plugins.names import RESERVED_NAMES
from venom_core.plugins.observers import Observers
from venom_core.plugins.providers import ProviderSlot
from venom_core.plugins.reasons import reason
from venom_core.plugins.records import ProviderRecord
from venom_core.sdk.errors import NotFound, VenomError
from venom_core.sdk.hookspecs import ObservedEvent
from venom_core.sdk.provider import Provider
from venom_core.sdk.spec import ProviderSpec
from venom_core.sdk.states import PluginState, Reason
from venom_core.settings.layers import Settings
from venom_core.settings.paths import Paths

logger = logging.getLogger(__name__)


class LoadedPlugins:
    """Finds, judges and loads plugins, and opens their providers at first use.

    One event loop uses it. ``scan`` imports nothing and may be called before there is a loop.

    Args:
        entry_points: what is installed; the default scans ``sys.path``.
        known_bad: versions that must not load.
    """

    def __init__(
        self,
        settings: Settings,
        paths: Paths,
        entry_points: Callable[[], Scan] | None = None,
        *,
        known_bad: tuple[gates.KnownBad, ...] = gates.KNOWN_BAD,
    ) -> None:
        self._settings = settings
        self._paths = paths
        self._entry_points = entry_points or discovery.scan
        self._known_bad = known_bad
        self._plugins: list[InstalledPlugin] = []
        self._directory = ProviderDirectory(())
        self._markers = CrashMarkers(paths)
        self._observers = Observers()
        self._third_party_turn = asyncio.Lock()
        self._profile: dict[str, Reason] = {}
        self._core_version = ""
        self._closed = False

    # Finding

    def scan(self) -> None:
        """Read what is installed and let the gates judge it. Nothing is imported.

        Called again, it adds what was installed since. A plugin that is loaded stays as it is: its
        code is in memory, whatever happened on the disk.
        """
        self._take(self._entry_points())

    async def rescan(self) -> None:
        """:meth:`scan` off the event loop, for a process that has just installed something."""
        importlib.invalidate_caches()
        self._take(await asyncio.to_thread(self._entry_points))

    def _take(self, scan: Scan) -> None:
        self._core_version = scan.core_version
        known = {plugin.key: plugin for plugin in self._plugins}
        plugins = []
        for found in scan.found:
            plugin = known.pop((found.id, found.distribution), None)
            if plugin is None or (plugin.found != found and not plugin.is_busy):
                plugin = InstalledPlugin(found)
            plugins.append(plugin)
        # uninstalled, and in memory all the same
        plugins.extend(plugin for plugin in known.values() if plugin.is_busy)
        self._plugins = sorted(plugins, key=lambda plugin: plugin.key)
        self._judge()

    def _judge(self) -> None:
        """Ask the gates about every plugin that is not in memory."""
        judged = gates.judge([plugin.found for plugin in self._plugins], self._policy())
        for plugin, (found, refusal) in zip(self._plugins, judged, strict=True):
            if plugin.is_busy or (plugin.state is PluginState.FAILED and refusal is None):
                continue
            before = plugin.state
            plugin.refuse(refusal)
            if refusal is None and not plugin.first_party and self._markers.crashed(found):
                plugin.state, plugin.reason = PluginState.DISABLED, crash_reason(found)
            if plugin.state is not before:
                self._announce(plugin)

    def _policy(self) -> gates.Policy:
        names = {name for plugin in self._plugins for name in plugin.key}
        disabled = {name: self._settings.plugin_disabled(name) for name in names}
        allowed = self._settings.core.plugins
        return gates.Policy(
            core_version=self._core_version,
            allowed=None if allowed is None else frozenset(allowed),
            disabled={name: layer for name, layer in disabled.items() if layer is not None},
            known_bad=self._known_bad,
        )

    # Loading

    async def load_all(self) -> None:
        """Load every plugin that the gates let through; never raises.

        Plugins of our release load side by side, third parties one after another, so that a crash
        has one suspect.
        """
        ordered = sorted(self._plugins, key=lambda plugin: not plugin.first_party)
        await asyncio.gather(*(self._load(plugin) for plugin in ordered))
        self._settings.check_providers(self.specs().values())

    async def _load(self, plugin: InstalledPlugin) -> None:
        """Load one plugin if it may be; however many ask at once, it is loaded once."""
        if plugin.state is not PluginState.DISCOVERED or self._closed:
            return
        if plugin.loading is None:
            plugin.loading = asyncio.create_task(self._import(plugin), name=f"load {plugin.id}")
        await asyncio.wait({plugin.loading})

    async def _import(self, plugin: InstalledPlugin) -> None:
        timeout = self._settings.core.plugin_load_timeout
        try:
            if plugin.first_party:
                loaded = await loader.load(plugin.found, None, timeout=timeout)
            else:
                async with self._third_party_turn:
                    loaded = await loader.load(plugin.found, self._markers, timeout=timeout)
            plugin.slots = [self._slot(spec) for spec in loaded.specs]
            plugin.loaded, plugin.state, plugin.reason = loaded, PluginState.LOADED, None
            self._observers.add(plugin.label, loaded.hooks)
            self._settle()
        except LoadError as error:
            plugin.state, plugin.reason = PluginState.FAILED, error.reason
        except Exception as error:  # a fault of ours must not take the other plugins along
            logger.exception("plugin %s could not be taken in", plugin.id)
            message = f"The plugin {plugin.id} could not be taken in ({type(error).__name__})."
            fix = "The log has the details: venom logs"
            plugin.slots, plugin.loaded = [], None
            plugin.state, plugin.reason = PluginState.FAILED, reason("import_failed", message, fix)
            self._directory = ProviderDirectory(self._plugins)
        finally:
            plugin.loading = None
        self._announce(plugin)

    def _slot(self, spec: ProviderSpec) -> ProviderSlot:
        observe = self._observers.observe
        return ProviderSlot(spec, self._settings, self._paths, self._provider_changed, observe)

    def _settle(self) -> None:
        """Say of each provider whether a conflict of names or the profile keeps it closed."""
        losers = conflicting_providers(self._plugins)
        for plugin in self._plugins:
            for slot in plugin.slots:
                name = slot.spec.name
                slot.excluded = self._profile.get(name)
                if slot in losers.get(name, ()):
                    slot.excluded = reason(
                        "name_conflict",
                        f"Several plugins have a provider called {name}; this one is not used.",
                        f"Keep one of them and disable the others: venom plugins disable"
                        f" {plugin.found.distribution}",
                    )
        self._directory = ProviderDirectory(self._plugins)

    # Providers

    def specs(self) -> dict[str, ProviderSpec]:
        """Return provider name -> declaration, of the loaded plugins; providers that a conflict of
        names keeps closed are left out."""
        return self._directory.specs

    def resolve_name(self, name: str) -> str | None:
        """Return the provider that ``name`` stands for, itself or an alias; None if none is
        loaded."""
        return self._directory.resolve(name)

    async def provider(self, name: str) -> Provider:
        """The provider of that name or alias, loaded and opened if it was not yet.

        Raises:
            NotFound: ``provider_not_found``.
            Unavailable: its plugin or the provider itself cannot be used now; the reason's code.
            EngineMissing: its engine is not installed.
        """
        return await (await self._find(name)).open()

    async def _find(self, name: str) -> ProviderSlot:
        slot = self._directory.find(name)
        if slot is None:
            owner = RESERVED_NAMES.get(name)
            suspects = [
                p for p in self._plugins if p.may_own(name) or p.found.distribution == owner
            ]
            await asyncio.gather(*(self._load(plugin) for plugin in suspects))
            slot = self._directory.find(name)
        if slot is None:
            await self.load_all()  # only the manifests know the aliases
            slot = self._directory.find(name)
        if slot is None:
            raise self._no_provider(name)
        return slot

    def _no_provider(self, name: str) -> VenomError:
        owner = RESERVED_NAMES.get(name)
        for plugin in self._plugins:
            if plugin.reason and (plugin.may_own(name) or plugin.found.distribution == owner):
                return plugin.reason.error()
        shown = "".join(char for char in name if char.isprintable())[:64]
        there = ", ".join(sorted(self.specs())) or "none"
        fix = "See what is installed: venom plugins"
        if owner is not None:
            fix = f"venom plugins install {owner.removeprefix('venom-')}"
        message = f"There is no provider {shown}; loaded: {there}."
        return NotFound(message, fix=fix, code="provider_not_found")

    # Telling

    def _announce(self, plugin: InstalledPlugin) -> None:
        code = plugin.reason.code if plugin.reason else None
        data = {"plugin": plugin.id, "state": plugin.state.label, "code": code}
        self._observers.observe(ObservedEvent("plugin.state", data))

    def _provider_changed(self, record: ProviderRecord) -> None:
        self._observers.observe(record.event())
