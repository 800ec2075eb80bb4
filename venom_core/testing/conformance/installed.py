"""Examining what is installed: ours and anybody's, by an entry point beside the plugin's own.

The group ``venom.conformance.v1`` names, under the plugin's name, the module with its trials. It is
imported for an examination and never by the server.
"""

from __future__ import annotations

import importlib
import logging
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import TypedDict

from venom_core.plugins.discovery import Found, scan
from venom_core.sdk.entry_points import API_MAJOR
from venom_core.sdk.errors import NotFound
from venom_core.sdk.law import RULES_DOCS
from venom_core.sdk.records import ReasonRecord
from venom_core.testing.conformance.case import told
from venom_core.testing.conformance.examination import Report, RuleRecord, examine_here
from venom_core.testing.conformance.subject import Trial

GROUP = "venom.conformance.v1"


class CheckRecord(TypedDict):
    """One examination of one provider as JSON. ``id`` is the plugin's name."""

    id: str
    distribution: str
    version: str
    provider: str | None
    engine: str | None
    certified: bool
    problem: ReasonRecord | None
    rules: list[RuleRecord]


def check_installed(
    name: str | None = None, found: Iterable[Found] | None = None
) -> list[CheckRecord]:
    """Examine a plugin by its name or its distribution's, or all; blocks until that is done.

    Raises:
        NotFound: ``plugin_not_found``.
    """
    plugins = list(scan().found if found is None else found)
    if name is not None:
        plugins = [one for one in plugins if name in (one.id, one.distribution)]
        if not plugins:
            shown = "".join(char for char in name if char.isprintable())[:64]
            fix = "See what is installed: venom plugins"
            raise NotFound(f"There is no plugin {shown}.", fix=fix, code="plugin_not_found")
    return [record for plugin in plugins for record in _check(plugin)]


def trials_of(plugin: Found) -> list[Trial]:
    """Return how a plugin says that it is examined; nothing where it does not say.

    Raises whatever importing its module raises.
    """
    from importlib_metadata import distribution

    points = distribution(plugin.distribution).entry_points
    modules = {point.value for point in points if point.group == GROUP and point.name == plugin.id}
    trials: list[Trial] = []
    for module in sorted(modules):
        values = vars(importlib.import_module(module)).values()
        trials += [one for one in values if isinstance(one, Trial) and one not in trials]
    return [one for one in trials if one.manifest == plugin.value.replace(" ", "")]


def _check(plugin: Found) -> list[CheckRecord]:
    if plugin.api != API_MAJOR:
        message = f"The plugin was made for the plugin API {plugin.api}, this is {API_MAJOR}."
        return [
            _record(plugin, _problem("api_mismatch", message, "Install another version of it."))
        ]
    try:
        trials = trials_of(plugin)
    except Exception as error:
        message = f"Its trials cannot be imported: {told(error)}"
        return [_record(plugin, _problem("bad_trial", message, "Its authors can mend it."))]
    if not trials:
        message = "The plugin does not say how it is examined."
        fix = f"Its authors add an entry point of {GROUP}."
        return [_record(plugin, _problem("no_trial", message, fix))]
    return [_record(plugin, _examined(trial)) for trial in trials]


def _examined(trial: Trial) -> Report:
    # What a provider logs of the faults that are made on purpose is nothing to show.
    logging.getLogger().addHandler(logging.NullHandler())
    with tempfile.TemporaryDirectory(prefix="venom-check-") as folder:
        return examine_here(trial, Path(folder))


def _problem(code: str, message: str, fix: str) -> Report:
    problem: ReasonRecord = {"code": code, "message": message, "fix": fix, "docs": RULES_DOCS}
    return Report(None, None, problem=problem)


def _record(plugin: Found, report: Report) -> CheckRecord:
    return {
        "id": plugin.id,
        "distribution": plugin.distribution,
        "version": plugin.version,
        "provider": report.provider,
        "engine": report.engine,
        "certified": report.certified,
        "problem": report.problem,
        "rules": [outcome.record() for outcome in report.outcomes.values()],
    }
