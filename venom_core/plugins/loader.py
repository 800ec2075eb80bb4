"""Importing a plugin's manifest, whatever it does.

pluggy checks the hooks' signatures and calls them. It is not the loader: its own
``load_setuptools_entrypoints`` imports every plugin in turn and stops at the first broken one. Each
plugin gets a manager of its own, so that what a hook raises has an author.
"""

from __future__ import annotations

import contextlib
import importlib
import inspect
import logging
import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pluggy

from venom_core.plugins.captured_output import Captured, capture
from venom_core.plugins.isolation import cause_of, in_thread
from venom_core.plugins.load_failures import LoadError, ask_author, bad_manifest, failure_of
from venom_core.plugins.names import is_name
from venom_core.plugins.reasons import reason
from venom_core.plugins.validation import BadSpec, providers_of
from venom_core.sdk.hookspecs import PROJECT, VenomHooks
from venom_core.sdk.spec import ProviderSpec

if TYPE_CHECKING:
    from venom_core.plugins.discovery import Found
    from venom_core.plugins.markers import CrashMarkers

logger = logging.getLogger(__name__)

_ENTRY = re.compile(
    r"(?P<module>[A-Za-z_][\w.]*)\s*(:\s*(?P<attribute>[A-Za-z_][\w.]*))?\s*(\[.*\])?"
)


@dataclass(frozen=True, slots=True)
class Loaded:
    """A plugin that is in memory: its hooks, its checked declarations, and the milliseconds that
    its manifest took."""

    hooks: pluggy.PluginManager
    specs: tuple[ProviderSpec, ...]
    load_ms: float


async def load(found: Found, markers: CrashMarkers | None, *, timeout: float) -> Loaded:
    """Import the manifest in a thread and ask it for its providers.

    Args:
        markers: where a crash is remembered; None for plugins of our own release.
        timeout: in seconds.

    Raises:
        LoadError: and nothing else, whatever the manifest did short of ending the process; for
            that there is the crash marker.
    """
    try:
        return await in_thread(
            lambda: _load_marked(found, markers), name=f"load {found.id}", timeout=timeout
        )
    except LoadError:
        raise
    except TimeoutError:
        if markers is not None:
            markers.forget(found)  # it hangs, which is not a crash
        raise LoadError(
            reason(
                "import_timeout",
                f"The manifest of {found.id} did not load within {timeout:g} s.",
                f"Disable it (venom plugins disable {found.id}) or report it to the authors of"
                f" {found.distribution}.",
            )
        ) from None
    except Exception as error:
        cause = cause_of(error)
        raise LoadError(failure_of(found, cause)) from cause


def observer(plugin: object, name: str) -> pluggy.PluginManager:
    """Return the hooks of an object, checked against the specification.

    Raises:
        pluggy.PluginValidationError: a hook is unknown, has a wrong signature, or is async.
    """
    hooks = pluggy.PluginManager(PROJECT)
    hooks.add_hookspecs(VenomHooks)
    hooks.register(plugin, name=name)
    hooks.check_pending()
    for caller in hooks.get_hookcallers(plugin) or ():
        for impl in caller.get_hookimpls():
            if impl.wrapper or impl.hookwrapper or inspect.iscoroutinefunction(impl.function):
                raise pluggy.PluginValidationError(
                    plugin, f"{caller.name} must be a plain function"
                )
    return hooks


def _load_marked(found: Found, markers: CrashMarkers | None) -> Loaded:
    marked = markers.importing(found) if markers is not None else contextlib.nullcontext()
    with marked, capture() as printed:
        try:
            return _load(found)
        finally:
            _log_prints(found, printed)


def _load(found: Found) -> Loaded:
    started = time.perf_counter()
    hooks = _hooks_of(found)
    specs: tuple[ProviderSpec, ...] = ()
    if hooks.hook.venom_providers.get_hookimpls():
        returned = hooks.hook.venom_providers()
        try:
            specs = providers_of(returned[0] if returned else None, found.id, found.distribution)
        except BadSpec as error:
            raise LoadError(
                reason("bad_spec", f"The plugin {found.id}: {error}.", ask_author(found))
            ) from error
    return Loaded(hooks, specs, round((time.perf_counter() - started) * 1000, 1))


def _hooks_of(found: Found) -> pluggy.PluginManager:
    match = _ENTRY.fullmatch(found.value.strip())
    if match is None or not is_name(found.id):
        raise bad_manifest(found, "its entry point is not written as the plugin API says")
    target: Any = importlib.import_module(match["module"])
    for attribute in (match["attribute"] or "").split("."):
        target = getattr(target, attribute) if attribute else target
    try:
        hooks = observer(target, found.id)
    except (pluggy.PluginValidationError, ValueError, TypeError) as error:
        logger.warning("plugin %s: %s", found.id, error)
        raise bad_manifest(found, "a hook of it is not one of the plugin API's") from error
    if not hooks.get_hookcallers(target):
        raise bad_manifest(found, "it implements no hook (is @hookimpl missing?)")
    return hooks


def _log_prints(found: Found, printed: Captured) -> None:
    if printed.text:
        logger.info("plugin %s printed while it was imported: %r", found.id, printed.text[:2000])
