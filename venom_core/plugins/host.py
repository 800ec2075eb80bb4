"""The plugin host: the one object through which the core sees plugins.

Whatever a plugin does, the host goes on, and its record says what happened.
"""

from __future__ import annotations

import asyncio
import functools
import logging
from collections.abc import Collection, Sequence

from venom_core.plugins import gates, loader
from venom_core.plugins.breaches import Breaches
from venom_core.plugins.doctor import DoctorReport, run_checks
from venom_core.plugins.editable import installed_stamp, read_new_paths
from venom_core.plugins.installed import InstalledPlugin
from venom_core.plugins.isolation import leave_behind
from venom_core.plugins.loaded import LoadedPlugins
from venom_core.plugins.providers import ProviderSlot
from venom_core.plugins.reasons import reason
from venom_core.plugins.records import PluginRecord
from venom_core.plugins.sources import forget_modules, package_of
from venom_core.plugins.watchdog import Work, watchdog
from venom_core.sdk.errors import Conflict, NotFound
from venom_core.sdk.hookspecs import ObservedEvent
from venom_core.sdk.loop_watch import LoopWatch
from venom_core.sdk.provider import Model
from venom_core.sdk.spec import ProviderSpec
from venom_core.sdk.states import Health, PluginState, ProviderStatus

logger = logging.getLogger(__name__)

#: Seconds that answers have to end of themselves before their plugin is taken out of memory.
DRAIN_SECONDS = 30.0
#: Our own package: what it has of providers is for tests.
CORE = __name__.partition(".")[0]


class PluginHost(LoadedPlugins):
    """The loaded plugins, with what can be asked of them, changed and watched."""

    @functools.cached_property
    def _reloading(self) -> list[InstalledPlugin]:
        return []

    @functools.cached_property
    def _watchdog(self) -> LoopWatch[Work]:
        return watchdog(self._owner)

    # What is there

    def scan(self) -> None:
        self._installed = installed_stamp()
        super().scan()

    async def rescan(self) -> None:
        """:meth:`scan` off the event loop, for what was installed meanwhile; editable installs
        too."""
        self._installed = await asyncio.to_thread(installed_stamp)
        await asyncio.to_thread(read_new_paths)
        await super().rescan()

    async def look_again(self) -> bool:
        """Call :meth:`rescan` where something was installed or removed since the last scan; return
        whether so. It costs a look at each folder of ``sys.path``."""
        if await asyncio.to_thread(installed_stamp) == self._installed:
            return False
        await self.rescan()
        return True

    async def _import(self, plugin: InstalledPlugin) -> None:
        await super()._import(plugin)
        self._open_observers(plugin)

    def _open_observers(self, plugin: InstalledPlugin) -> None:
        """Begin to open the providers that observe: nobody will ask for them. What keeps one from
        opening is in its record."""
        for slot in plugin.slots:
            if slot.spec.observes:
                leave_behind(asyncio.create_task(slot.health(), name=f"open {slot.spec.name}"))

    async def _find(self, name: str) -> ProviderSlot:
        try:
            slot = await super()._find(name)
        except NotFound:
            if not await self.look_again():
                raise
            slot = await super()._find(name)
        for plugin in self._reloading:
            if slot in plugin.slots and plugin.loading is not None:
                await asyncio.wait({plugin.loading})
                return await self._find(name)
        return slot

    def reloadable(self) -> list[tuple[str, str]]:
        """Return the name and the manifest of each plugin of others' that is loaded, or failed
        to."""
        return [
            (plugin.found.distribution, plugin.found.value)
            for plugin in self._plugins
            if not plugin.first_party
            and plugin.loading is None
            and plugin.state in (PluginState.LOADED, PluginState.FAILED)
        ]

    def records(self) -> list[PluginRecord]:
        """Return every installed plugin, whatever its state, by name and distribution."""
        return [plugin.record() for plugin in self._plugins]

    def preference(self) -> tuple[str, ...]:
        """Return the providers that take part in the choice for a bare name, the preferred
        first."""
        return self._directory.preference

    async def offered(self, name: str) -> Sequence[Model]:
        """Return what a provider without its engine could fetch; nothing where it cannot tell.

        Raises:
            NotFound, Unavailable: as :meth:`provider`, where there is no such provider to ask.
        """
        return await (await self._find(name)).offered()

    async def health(self, name: str) -> Health:
        """Return what the provider says of itself, opened if it was not yet.

        Raises:
            NotFound, Unavailable: as :meth:`provider`, where there is no such provider to ask.
        """
        return await (await self._find(name)).health()

    async def refresh(self) -> None:
        """Ask every opened provider, and those that observe, for their health, side by side; the
        records then show it."""
        opened = [slot for slot in self._directory.usable if slot.is_open or slot.spec.observes]
        await asyncio.gather(*(slot.health() for slot in opened))

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
            raise Conflict(
                f"The plugin {plugin.id} was kept out at the start: no command can enable it.",
                fix="Change VENOM_PLUGINS or VENOM_PLUGINS_DISABLED, and start Venom again.",
                code=plugin.reason.code,
            )
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
            self._open_observers(plugin)
            return plugin.record()
        if plugin.state is PluginState.DISABLED and not _is_crashed(plugin):
            assert plugin.reason is not None, "a gate refused it"
            raise Conflict(
                f"The plugin {plugin.id} is disabled: there is nothing to try again.",
                fix=f"venom plugins enable {plugin.id}",
                code=plugin.reason.code,
            )
        return await self._again(plugin)

    async def reload(self, name: str) -> PluginRecord:
        """Load a plugin of others' anew, as it lies on the disk now. Its answers have
        ``DRAIN_SECONDS`` to end; who asks for its providers meanwhile waits for the new ones.

        Raises:
            NotFound: ``plugin_not_found``.
            Conflict: ``first_party_plugin``; as :meth:`retry`, for one that is not in memory.
        """
        await self.look_again()
        plugin = self._called(name)
        if plugin.first_party:
            raise Conflict(
                f"{plugin.id} is a part of Venom's release, and is loaded once.",
                fix="Start Venom again.",
                code="first_party_plugin",
            )
        if plugin.state not in (PluginState.LOADED, PluginState.FAILED) and plugin.loading is None:
            return await self.retry(name)
        if plugin.loading is not None:
            await asyncio.wait({plugin.loading})
        # From here on nobody else loads it, and who looks for its providers waits for this.
        self._reloading.append(plugin)
        task = asyncio.create_task(self._reload(plugin), name=f"reload {plugin.id}")
        plugin.loading = task
        await asyncio.wait({task})
        return plugin.record()

    async def _reload(self, plugin: InstalledPlugin) -> None:
        """Take a plugin out and load it. Its old providers are listed until the new ones are there:
        they are nobody's any more, and their names are known all the while."""
        old = plugin.slots
        try:
            await self._take_out(plugin, old)
            scan = await asyncio.to_thread(self._entry_points)
            plugin.found = next(
                (one for one in scan.found if (one.id, one.distribution) == plugin.key),
                plugin.found,
            )
            refusal = gates.first_refusal(plugin.found, self._policy())
            if refusal is None:
                self._markers.forget(plugin.found)
                await self._import(plugin)
            else:
                plugin.refuse(refusal)
                self._announce(plugin)
        finally:
            self._reloading.remove(plugin)
            plugin.loading = None
            if plugin.slots is old:
                plugin.slots, plugin.loaded = [], None
                self._settle()

    async def reopen(self, names: Collection[str]) -> None:
        """Close providers whose settings changed: the next use opens them with the new ones. Their
        answers have ``DRAIN_SECONDS`` to end."""
        slots = [s for p in self._plugins for s in p.slots if s.spec.name in names]
        await asyncio.gather(*(slot.drain(DRAIN_SECONDS) for slot in slots))
        for slot in slots:
            await slot.close(for_good=False)
            slot.retry()

    async def forget(self, name: str) -> PluginRecord:
        """Take a plugin out of memory that was uninstalled; return what it was.

        Raises:
            NotFound: ``plugin_not_found``.
            Conflict: it is installed.
        """
        plugin = self._called(name)
        scan = await asyncio.to_thread(self._entry_points)
        if plugin.key in {(one.id, one.distribution) for one in scan.found}:
            raise Conflict(
                f"The plugin {plugin.id} is installed.",
                fix=f"venom plugins uninstall {plugin.id}",
            )
        record = plugin.record()
        if plugin.loading is not None:
            await asyncio.wait({plugin.loading})
        await self._take_out(plugin, self._withdraw(plugin))
        await self.rescan()
        await self._judge_and_load()  # a rival may have its name now
        return record

    async def _take_out(self, plugin: InstalledPlugin, slots: Sequence[ProviderSlot]) -> None:
        """End a plugin's work, close its providers, and take its code out of memory."""
        self._observers.remove(plugin.label)
        try:
            waiting = [slot.drain(DRAIN_SECONDS) for slot in slots]
            if not all(await asyncio.gather(*waiting)):
                logger.warning("answers of %s did not end, and are broken off", plugin.id)
        finally:
            await asyncio.gather(*(slot.close() for slot in slots))
        others = {package_of(one.found.value) for one in self._plugins if one is not plugin}
        forget_modules(package_of(plugin.found.value), others)

    def apply_profile(self, profile: str, excluded: Collection[str]) -> None:
        """Hand out the named providers no more, as ``disabled(profile)``, and all others again. The
        answers of one that is open go on, until :meth:`shut`."""
        before = self._profile
        self._profile = {
            name: reason(
                "profile",
                f"The profile {profile} leaves {name} out.",
                "Use one that has it: venom profile use full",
            )
            for name in excluded
        }
        self._settle()
        for slot in self._slots():
            name = slot.spec.name
            if (name in before) != (name in self._profile):
                self._provider_changed(slot.record())

    async def drain(self, name: str, seconds: float) -> bool:
        """Return whether everything that a provider was asked for ended in that time."""
        found = [slot.drain(seconds) for slot in self._slots() if slot.spec.name == name]
        return all(await asyncio.gather(*found))

    async def shut(self, name: str) -> None:
        """Close a provider with its engines; its next use, where it may be used, opens it again."""
        found = [slot for slot in self._slots() if slot.spec.name == name]
        await asyncio.gather(*(slot.close(for_good=False) for slot in found))

    def is_open(self, name: str) -> bool:
        """Return whether a provider is open, or being opened."""
        return any(slot.spec.name == name and not slot.is_at_rest for slot in self._slots())

    def _slots(self) -> list[ProviderSlot]:
        return [slot for plugin in self._plugins for slot in plugin.slots]

    async def close(self) -> None:
        """Close every provider, each within its time; nothing loads or opens afterwards."""
        self._closed = True
        self._watchdog.stop()
        loading = [plugin.loading for plugin in self._plugins if plugin.loading is not None]
        for task in loading:
            task.cancel()
        slots = self._slots()
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
        slots = self._withdraw(plugin)
        await asyncio.gather(*(slot.close() for slot in slots))

    def _withdraw(self, plugin: InstalledPlugin) -> list[ProviderSlot]:
        """Hand out none of a plugin's providers any more; return them, to be closed."""
        self._observers.remove(plugin.label)
        slots, plugin.slots, plugin.loaded = plugin.slots, [], None
        plugin.state, plugin.reason = PluginState.DISCOVERED, None
        self._settle()
        return slots

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

    def declared(self, name: str) -> tuple[PluginRecord, tuple[ProviderSpec, ...]]:
        """Return a plugin's record, and what its manifest declares: nothing where it is not
        loaded. Raises ``NotFound``, ``Conflict``."""
        plugin = self._called(name)
        return plugin.record(), plugin.loaded.specs if plugin.loaded else ()

    # Watching

    def watch(self) -> None:
        """Begin to watch the running event loop for providers that keep it from everything else;
        :meth:`close` ends it."""
        self._watchdog.start()

    def _owner(self, module: str) -> Breaches | None:
        """Return the breaches of the provider whose package a module is in."""
        package = module.partition(".")[0]
        for plugin in self._plugins:
            for slot in plugin.slots:
                if slot.spec.factory.partition(":")[0].partition(".")[0] == package != CORE:
                    return slot.breaches
        return None

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


def _is_crashed(plugin: InstalledPlugin) -> bool:
    return plugin.reason is not None and plugin.reason.code == "crashed_last_start"
