"""Whether the package with a provider's engine is installed, told without importing it."""

from __future__ import annotations

import importlib.machinery
import importlib.util

from venom_core.plugins.reasons import reason
from venom_core.sdk.spec import EngineRequirement
from venom_core.sdk.states import Reason


def missing_engine(engine: EngineRequirement | None) -> Reason | None:
    """The reason, where the engine's module cannot be found. Nothing is imported: of a dotted name
    ``find_spec`` would import the parents, so the path is walked here."""
    if engine is None or _is_there(engine.module):
        return None
    package = engine.module.partition(".")[0]
    fix = f"venom plugins install {engine.install}"
    return reason("engine_missing", f"{package} is not installed.", fix)


def _is_there(module: str) -> bool:
    first, *rest = module.split(".")
    try:
        found = importlib.util.find_spec(first)
        name = first
        for part in rest:
            if found is None or found.submodule_search_locations is None:
                return False
            name = f"{name}.{part}"
            found = importlib.machinery.PathFinder.find_spec(
                name, list(found.submodule_search_locations)
            )
    except (ImportError, ValueError):
        return False
    return found is not None
