"""The plugin host: the one object through which the core sees plugins.

Whatever a plugin does, the host goes on, and its record says what happened.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Sequence

from venom_core.plugins import loader
from venom_core.plugins.doctor import DoctorReport, run_checks
from venom_core.plugins.installed import InstalledPlugin
from venom_core.plugins.loaded import LoadedPlugins
from venom_core.plugins.reasons import reason
from venom_core.plugins.records import PluginRecord
from venom_core.sdk.errors import Conflict, NotFound
from venom_core.sdk.hookspecs import ObservedEvent
from venom_core.sdk.provider import Model
from venom_core.sdk.states import Health, PluginState, ProviderStatus

logger = logging.getLogger(__name__)


class PluginHost(LoadedPlugins):
    """The loaded plugins, with what can be asked of them, changed and watched."""

    # What is there

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
        """Ask every opened provider for its health, side by side; the records then show it."""
        opened = [slot for slot in self._directory.usable if slot.is_open]
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
            return plugin.record()
        if plugin.state is PluginState.DISABLED and not _is_crashed(plugin):
            assert plugin.reason is not None, "a gate refused it"
            raise Conflict(
                f"The plugin {plugin.id} is disabled: there is nothing to try again.",
                fix=f"venom plugins enable {plugin.id}",
                code=plugin.reason.code,
            )
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
        self._observers.remove(plugin.label)
        slots, plugin.slots, plugin.loaded = plugin.slots, [], None
        plugin.state, plugin.reason = PluginState.DISCOVERED, None
        self._settle()  # before its providers close: nobody is to be handed one of them
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


def _is_crashed(plugin: InstalledPlugin) -> bool:
    return plugin.reason is not None and plugin.reason.code == "crashed_last_start"
