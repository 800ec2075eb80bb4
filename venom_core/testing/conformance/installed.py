"""Examining what is installed: ours and anybody's, by an entry point beside the plugin's own.

The modules with the trials are imported for an examination and never by the server.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypedDict

from venom_core.plugins.discovery import Found, scan
from venom_core.sdk.entry_points import API_MAJOR
from venom_core.sdk.errors import NotFound
from venom_core.sdk.law import RULES_DOCS
from venom_core.sdk.records import ReasonRecord
from venom_core.testing.conformance.case import declared, told
from venom_core.testing.conformance.examination import Report, RuleRecord, examine_here
from venom_core.testing.conformance.rule import Broken
from venom_core.testing.conformance.subject import Trial
from venom_core.testing.conformance.trials import GROUP, trials_of


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
    return [
        *(_record(plugin, _examined(trial)) for trial in trials),
        *(_record(plugin, report) for report in _unexamined(trials)),
    ]


def _unexamined(trials: Sequence[Trial]) -> list[Report]:
    """Report the providers of a manifest that no trial examines."""
    examined = {one.provider for one in trials}
    try:
        manifest, _ = declared(trials[0])
    except Broken:
        return []  # the trial's own report says it
    names = [] if None in examined else [one.name for one in manifest.venom_providers()]
    said = _problem(
        "no_trial", "No trial examines this provider.", "Its authors add one beside the others."
    )
    return [replace(said, provider=name) for name in names if name not in examined]


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
