"""The trials of a plugin: those that its entry points lead to, and those beside one of them.

The group ``venom.conformance.v1`` names, under the plugin's name, the module with its trials.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType

from venom_core.plugins.discovery import Found
from venom_core.testing.conformance.subject import Trial

GROUP = "venom.conformance.v1"


def trials_of(plugin: Found) -> list[Trial]:
    """Return how a plugin says that it is examined; nothing where it does not say.

    Raises whatever importing its module raises.
    """
    from importlib_metadata import distribution

    points = distribution(plugin.distribution).entry_points
    modules = {point.value for point in points if point.group == GROUP and point.name == plugin.id}
    trials: list[Trial] = []
    for module in sorted(modules):
        found = _trials_in(importlib.import_module(module))
        trials += [one for one in found if one not in trials]
    return [one for one in trials if one.manifest == plugin.value.replace(" ", "")]


def beside(trial: Trial) -> list[Trial]:
    """Return the trials of the module in which a trial stands, itself among them."""
    module = sys.modules.get(getattr(trial.prepare, "__module__", ""))
    found = _trials_in(module) if module else []
    return [trial, *(one for one in found if one.manifest == trial.manifest and one != trial)]


def _trials_in(module: ModuleType) -> list[Trial]:
    return [one for one in vars(module).values() if isinstance(one, Trial)]
