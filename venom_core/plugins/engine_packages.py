"""Whether the package with a provider's engine is installed, told without importing it."""

from __future__ import annotations

import importlib.util
import pkgutil
from collections.abc import Sequence

from venom_core.plugins.reasons import reason
from venom_core.sdk.spec import EngineRequirement, ProviderSpec
from venom_core.sdk.states import Reason


def missing_engine(engine: EngineRequirement | None) -> Reason | None:
    """The reason, where the engine's module cannot be found. Nothing is imported: of a dotted name
    ``find_spec`` would import the parents, so the path is walked here."""
    if engine is None or is_there(engine.module):
        return None
    package = engine.module.partition(".")[0]
    fix = f"venom plugins install {engine.install}"
    return reason("engine_missing", f"{package} is not installed.", fix)


def missing_library(spec: ProviderSpec, error: BaseException) -> Reason | None:
    """Return the reason, where ``error`` says that a library which the provider imports is not
    there: gone, or never installed with it. A module of its own that is missing is its fault."""
    gone = error.name if isinstance(error, ModuleNotFoundError) else None
    if not gone or gone.partition(".")[0] == spec.factory.partition(".")[0]:
        return None
    install = spec.engine.install if spec.engine is not None else spec.name
    return reason(
        "engine_missing",
        f"{spec.title} needs {gone.partition('.')[0]}, which is not installed.",
        f"Install it again, with what it needs: venom plugins install {install}",
    )


def is_there(module: str) -> bool:
    """Return whether a module can be found; nothing is imported."""
    first, *rest = module.split(".")
    try:
        found = importlib.util.find_spec(first)
        if found is None:
            return False
        name, places = first, list(found.submodule_search_locations or ())
        for part in rest:
            name = f"{name}.{part}"
            inside = _folders(name, places)
            if inside is None:
                return False
            places = inside
    except (ImportError, ValueError):
        return False
    return True


def _folders(name: str, places: Sequence[str]) -> list[str] | None:
    """Return where a module inside a package has its own, None where it is not in these folders.

    Python's own search asks for the imported parent where neither has an ``__init__``.
    """
    portions: list[str] = []
    for place in places:
        finder = pkgutil.get_importer(place)
        found = None if finder is None else finder.find_spec(name)
        if found is None:
            continue
        folders = list(found.submodule_search_locations or ())
        if found.loader is not None:
            return folders
        portions += folders
    return portions or None
