"""The plugin host: the one object through which the core sees plugins.

Whatever a plugin does, the host goes on, and its record says what happened.
"""

from __future__ import annotations

import asyncio
import importlib
import logging
from collections.abc import Callable, Collection, Iterable, Sequence

from venom_core.plugins import discovery, gates, loader
from venom_core.plugins.discovery import Found, Scan
from venom_core.plugins.doctor import DoctorReport, run_checks
from venom_core.plugins.installed import InstalledPlugin, aliases_of, conflicting_providers
from venom_core.plugins.markers import CrashMarkers
from venom_core.plugins.names import RESERVED_NAMES
from venom_core.plugins.observers import Observers
from venom_core.plugins.providers import ProviderSlot
from venom_core.plugins.reasons import reason
from venom_core.plugins.records import PluginRecord, ProviderRecord
from venom_core.sdk.errors import Conflict, NotFound, Unavailable
from venom_core.sdk.hookspecs import ObservedEvent
from venom_core.sdk.provider import Model, Provider
from venom_core.sdk.spec import ProviderSpec
from venom_core.sdk.states import Health, PluginState, ProviderStatus, Reason
from venom_core.settings.layers import Settings
from venom_core.settings.paths import Paths

logger = logging.getLogger(__name__)


class PluginHost:
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
            if plugin is None or (plugin.found != found and not _is_busy(plugin)):
                plugin = InstalledPlugin(found)
            plugins.append(plugin)
        # uninstalled, and in memory all the same
        plugins.extend(plugin for plugin in known.values() if _is_busy(plugin))
        self._plugins = sorted(plugins, key=lambda plugin: plugin.key)
        self._judge()

    def _judge(self) -> None:
        """Ask the gates about every plugin that is not in memory."""
        judged = gates.judge([plugin.found for plugin in self._plugins], self._policy())
        for plugin, (found, refusal) in zip(self._plugins, judged, strict=True):
            if _is_busy(plugin) or (plugin.state is PluginState.FAILED and refusal is None):
                continue
            before = plugin.state
            plugin.refuse(refusal)
            if refusal is None and not plugin.first_party and self._markers.crashed(found):
                plugin.state, plugin.reason = PluginState.DISABLED, _crashed(found)
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
            self._observers.add(_label(plugin), loaded.hooks)
            self._settle()
        except loader.LoadError as error:
            plugin.state, plugin.reason = PluginState.FAILED, error.reason
        except Exception as error:  # a fault of ours must not take the other plugins along
            logger.exception("plugin %s could not be taken in", plugin.id)
            message = f"The plugin {plugin.id} could not be taken in ({type(error).__name__})."
            fix = "The server's log has the details."
            plugin.slots, plugin.loaded = [], None
            plugin.state, plugin.reason = PluginState.FAILED, reason("import_failed", message, fix)
        finally:
            plugin.loading = None
        self._announce(plugin)

    def _slot(self, spec: ProviderSpec) -> ProviderSlot:
        return ProviderSlot(spec, self._settings, self._paths, self._provider_changed)

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

    # What is there

    def records(self) -> list[PluginRecord]:
        """Every installed plugin, whatever became of it, by name and distribution."""
        return [plugin.record() for plugin in self._plugins]

    def specs(self) -> dict[str, ProviderSpec]:
        """Provider name -> declaration, of the loaded plugins; providers that a conflict of names
        keeps closed are left out."""
        return {slot.spec.name: slot.spec for slot in self._usable_slots()}

    def resolve_name(self, name: str) -> str | None:
        """The provider that ``name`` stands for, itself or an alias; None if none is loaded."""
        if any(slot.spec.name == name for slot in self._usable_slots()):
            return name
        return aliases_of(self._plugins).get(name)

    def _usable_slots(self) -> Iterable[ProviderSlot]:
        for plugin in self._plugins:
            for slot in plugin.slots:
                if slot.excluded is None or slot.excluded.code != "name_conflict":
                    yield slot

    async def provider(self, name: str) -> Provider:
        """The provider of that name or alias, loaded and opened if it was not yet.

        Raises:
            NotFound: ``provider_not_found``.
            Unavailable: its plugin or the provider itself cannot be used now; the reason's code.
            EngineMissing: its engine is not installed.
        """
        return await (await self._find(name)).open()

    async def offered(self, name: str) -> Sequence[Model]:
        """What a provider without its engine could fetch; nothing where it cannot tell.

        Raises:
            NotFound, Unavailable: as :meth:`provider`, where there is no such provider to ask.
        """
        return await (await self._find(name)).offered()

    async def health(self, name: str) -> Health:
        """What the provider says of itself, opened if it was not yet.

        Raises:
            NotFound, Unavailable: as :meth:`provider`, where there is no such provider to ask.
        """
        return await (await self._find(name)).health()

    async def refresh(self) -> None:
        """Ask every opened provider for its health, side by side; the records then show it."""
        opened = [slot for slot in self._usable_slots() if slot.is_open]
        await asyncio.gather(*(slot.health() for slot in opened))

    async def _find(self, name: str) -> ProviderSlot:
        slot = self._loaded_slot(name)
        if slot is None:
            owner = RESERVED_NAMES.get(name)
            suspects = [
                p for p in self._plugins if p.may_own(name) or p.found.distribution == owner
            ]
            await asyncio.gather(*(self._load(plugin) for plugin in suspects))
            slot = self._loaded_slot(name)
        if slot is None:
            await self.load_all()  # only the manifests know the aliases
            slot = self._loaded_slot(name)
        if slot is None:
            raise self._no_provider(name)
        return slot

    def _loaded_slot(self, name: str) -> ProviderSlot | None:
        """The usable one, else one that says why it is not."""
        resolved = self.resolve_name(name) or name
        named = [s for p in self._plugins for s in p.slots if s.spec.name == resolved]
        return next((slot for slot in named if slot.excluded is None), named[0] if named else None)

    def _no_provider(self, name: str) -> NotFound | Unavailable:
        owner = RESERVED_NAMES.get(name)
        for plugin in self._plugins:
            if plugin.reason and (plugin.may_own(name) or plugin.found.distribution == owner):
                why = plugin.reason
                return Unavailable(why.message, fix=why.fix, code=why.code)
        shown = "".join(char for char in name if char.isprintable())[:64]
        there = ", ".join(sorted(self.specs())) or "none"
        fix = "See what is installed: venom plugins"
        if owner is not None:
            fix = f"venom plugins install {owner.removeprefix('venom-')}"
        message = f"There is no provider {shown}; loaded: {there}."
        return NotFound(message, fix=fix, code="provider_not_found")

    # Changing

    async def enable(self, name: str) -> PluginRecord:
        """Let a plugin load again that was disabled by command or crashed the last start.

        Raises:
            NotFound: ``plugin_not_found``.
            Conflict: the environment disables it, or the name is not unique.
            StorageError: the choice cannot be kept.
        """
        plugin = self._called(name)
        if plugin.reason and plugin.reason.code in ("blocked", "not_allowed"):
            raise Conflict(plugin.reason.message, fix=plugin.reason.fix, code=plugin.reason.code)
        for token in plugin.key:
            if self._settings.plugin_disabled(token):
                await asyncio.to_thread(self._settings.set_plugin_disabled, token, False)
        return await self._again(plugin)

    async def disable(self, name: str) -> PluginRecord:
        """Close a plugin's providers and keep it from loading, now and at later starts.

        Raises:
            NotFound: ``plugin_not_found``.
            Conflict: the name is not unique.
            StorageError: the choice cannot be kept.
        """
        plugin = self._called(name)
        rivals = [other for other in self._plugins if other.id == plugin.id]
        token = plugin.id if len(rivals) == 1 else plugin.found.distribution
        await asyncio.to_thread(self._settings.set_plugin_disabled, token, True)
        await self._unload(plugin)
        await self._judge_and_load()  # a rival may have its name now
        return plugin.record()

    async def retry(self, name: str) -> PluginRecord:
        """Try again what failed: the import of a plugin, or the opening of its providers.

        Raises:
            NotFound: ``plugin_not_found``.
            Conflict: the plugin is disabled, or the name is not unique.
        """
        await self.rescan()
        plugin = self._called(name)
        if plugin.state is PluginState.LOADED:
            for slot in plugin.slots:
                if slot.status not in (ProviderStatus.READY, ProviderStatus.DEGRADED):
                    await slot.close(for_good=False)
                    slot.retry()
            return plugin.record()
        if plugin.state is PluginState.DISABLED and not _is_crashed(plugin):
            why = plugin.reason or reason("disabled_by_user", f"{plugin.id} is disabled.")
            raise Conflict(why.message, fix=why.fix, code=why.code)
        return await self._again(plugin)

    async def apply_profile(self, profile: str, excluded: Collection[str]) -> None:
        """Keep the named providers closed, as ``disabled(profile)``, and let all others be used."""
        self._profile = {
            name: reason(
                "profile",
                f"The profile {profile} leaves {name} out.",
                "Start with another profile: venom serve --profile full",
            )
            for name in excluded
        }
        self._settle()
        shut = [s for p in self._plugins for s in p.slots if s.spec.name in self._profile]
        await asyncio.gather(*(slot.close(for_good=False) for slot in shut))

    async def close(self) -> None:
        """Close every provider, each within its time; nothing loads or opens afterwards."""
        self._closed = True
        loading = [plugin.loading for plugin in self._plugins if plugin.loading is not None]
        for task in loading:
            task.cancel()
        slots = [slot for plugin in self._plugins for slot in plugin.slots]
        await asyncio.gather(*loading, return_exceptions=True)
        await asyncio.gather(*(slot.close() for slot in slots))

    async def _again(self, plugin: InstalledPlugin) -> PluginRecord:
        self._markers.forget(plugin.found)
        if plugin.state is PluginState.FAILED:
            plugin.state, plugin.reason = PluginState.DISCOVERED, None
        await self._judge_and_load()
        return plugin.record()

    async def _judge_and_load(self) -> None:
        self._judge()
        self._settle()
        await asyncio.gather(*(self._load(plugin) for plugin in self._plugins))

    async def _unload(self, plugin: InstalledPlugin) -> None:
        if plugin.loading is not None:
            await asyncio.wait({plugin.loading})
        self._observers.remove(_label(plugin))
        slots, plugin.slots, plugin.loaded = plugin.slots, [], None
        plugin.state, plugin.reason = PluginState.DISCOVERED, None
        await asyncio.gather(*(slot.close() for slot in slots))

    def _called(self, name: str) -> InstalledPlugin:
        meant = [plugin for plugin in self._plugins if plugin.is_called(name)]
        exact = [plugin for plugin in meant if plugin.id == name]
        meant = exact or meant
        if not meant:
            shown = "".join(char for char in name if char.isprintable())[:64]
            message = f"There is no plugin {shown}."
            fix = "See what is installed: venom plugins"
            raise NotFound(message, fix=fix, code="plugin_not_found")
        distributions = sorted({plugin.found.distribution for plugin in meant})
        if len(distributions) > 1:
            raise Conflict(
                f"Several plugins are called {name}: {', '.join(distributions)}.",
                fix="Name the distribution instead.",
                code="ambiguous_plugin",
            )
        return meant[0]

    # Watching

    def add_observer(self, name: str, plugin: object) -> None:
        """Let an object of the core see events, by the hook that plugins use.

        Raises:
            pluggy.PluginValidationError: its hook has another signature.
        """
        self._observers.add(name, loader.observer(plugin, name))

    def observe(self, event: ObservedEvent) -> None:
        """Tell every observer; what one raises is logged under its name and stops nobody."""
        self._observers.observe(event)

    async def doctor(self) -> list[DoctorReport]:
        """Run the checks of every loaded plugin, each with a deadline, side by side."""
        await self.load_all()
        hooks = [(plugin.id, plugin.loaded.hooks) for plugin in self._plugins if plugin.loaded]
        return await run_checks(hooks, self._settings.core.plugin_load_timeout)

    def _announce(self, plugin: InstalledPlugin) -> None:
        code = plugin.reason.code if plugin.reason else None
        data = {"plugin": plugin.id, "state": plugin.state.label, "code": code}
        self.observe(ObservedEvent("plugin.state", data))

    def _provider_changed(self, record: ProviderRecord) -> None:
        code = record.reason.code if record.reason else None
        data = {"provider": record.name, "status": record.status.label, "code": code}
        self.observe(ObservedEvent("provider.state", data))


def _is_busy(plugin: InstalledPlugin) -> bool:
    return plugin.state is PluginState.LOADED or plugin.loading is not None


def _is_crashed(plugin: InstalledPlugin) -> bool:
    return plugin.reason is not None and plugin.reason.code == "crashed_last_start"


def _crashed(found: Found) -> Reason:
    return reason(
        "crashed_last_start",
        f"The last start ended while {found.distribution} {found.version} was imported, so it is"
        " left out.",
        f"To try it again: venom plugins retry {found.id}",
    )


def _label(plugin: InstalledPlugin) -> str:
    return f"{plugin.id} ({plugin.found.distribution})"
