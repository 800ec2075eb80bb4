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
from types import TracebackType
from typing import TYPE_CHECKING, Any

import pluggy

from venom_core.plugins.captured_output import Captured, capture
from venom_core.plugins.isolation import cause_of, in_thread
from venom_core.plugins.names import is_name
from venom_core.plugins.reasons import reason
from venom_core.plugins.validation import BadSpec, providers_of
from venom_core.sdk.hookspecs import PROJECT, VenomHooks
from venom_core.sdk.spec import ProviderSpec
from venom_core.sdk.states import Reason

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


class LoadError(Exception):
    """The manifest did not load; ``reason`` is fit to be shown."""

    def __init__(self, why: Reason) -> None:
        super().__init__(why.message)
        self.reason = why


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
        raise LoadError(_failure(found, cause)) from cause


def observer(plugin: object, name: str) -> pluggy.PluginManager:
    """The hooks of an object, checked against the specification.

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
                reason("bad_spec", f"The plugin {found.id}: {error}.", _ask_author(found))
            ) from error
    return Loaded(hooks, specs, round((time.perf_counter() - started) * 1000, 1))


def _hooks_of(found: Found) -> pluggy.PluginManager:
    match = _ENTRY.fullmatch(found.value.strip())
    if match is None or not is_name(found.id):
        raise _bad_manifest(found, "its entry point is not written as the plugin API says")
    target: Any = importlib.import_module(match["module"])
    for attribute in (match["attribute"] or "").split("."):
        target = getattr(target, attribute) if attribute else target
    try:
        hooks = observer(target, found.id)
    except (pluggy.PluginValidationError, ValueError, TypeError) as error:
        logger.warning("plugin %s: %s", found.id, error)
        raise _bad_manifest(found, "a hook of it is not one of the plugin API's") from error
    if not hooks.get_hookcallers(target):
        raise _bad_manifest(found, "it implements no hook (is @hookimpl missing?)")
    return hooks


def _failure(found: Found, error: BaseException) -> Reason:
    logger.warning("plugin %s of %s did not load", found.id, found.distribution, exc_info=error)
    if isinstance(error, SystemExit | KeyboardInterrupt):
        return reason(
            "manifest_exited",
            f"The manifest of {found.id} tried to end the process{_place(error.__traceback__)}.",
            _ask_author(found),
        )
    if isinstance(error, ModuleNotFoundError) and error.name:
        return reason(
            "import_failed",
            f"The manifest of {found.id} needs the module {error.name}, which is not installed.",
            f"Install {found.distribution} again, with its dependencies, then: venom plugins retry"
            f" {found.id}",
        )
    return reason(
        "import_failed",
        f"The manifest of {found.id} raised {type(error).__name__}{_place(error.__traceback__)}.",
        _ask_author(found),
    )


def _bad_manifest(found: Found, what: str) -> LoadError:
    return LoadError(reason("bad_manifest", f"The plugin {found.id}: {what}.", _ask_author(found)))


def _ask_author(found: Found) -> str:
    return (
        f"Install another version of {found.distribution} than {found.version}, or report it to"
        " its authors; the server's log has the details."
    )


def _place(traceback: TracebackType | None) -> str:
    """Where it was raised, as module and line: of use to an author, and no path of this machine."""
    place = ""
    while traceback is not None:
        module = traceback.tb_frame.f_globals.get("__name__", "")
        if isinstance(module, str) and not module.startswith(("importlib", "venom_core.plugins")):
            place = f" in {module}, line {traceback.tb_lineno}"
        traceback = traceback.tb_next
    return place


def _log_prints(found: Found, printed: Captured) -> None:
    if printed.text:
        logger.info("plugin %s printed while it was imported: %r", found.id, printed.text[:2000])
