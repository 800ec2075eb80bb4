"""Rules of the manifest and of what importing costs; nothing is opened for them."""

from __future__ import annotations

import asyncio
from typing import Any

from venom_core.plugins.discovery import Found, scan
from venom_core.plugins.validation import BadSpec, class_fault, providers_of
from venom_core.sdk.spec import Capability
from venom_core.testing.conformance.case import Case, told
from venom_core.testing.conformance.rule import Broken, require, rule
from venom_core.testing.conformance.subject import NotApplicable
from venom_core.testing.conformance.trials import beside, trials_of
from venom_core.testing.imports import HEAVY, printed_by, third_party

#: One program, in an interpreter of its own: what has been imported after each step.
_STEPS = """
import importlib, json, sys
from venom_core.plugins.discovery import scan
import venom_core.sdk.hookspecs, venom_core.sdk.spec
steps = {"before": sorted(sys.modules)}
scan()
steps["found"] = sorted(sys.modules)
importlib.import_module(MANIFEST)
steps["loaded"] = sorted(sys.modules)
importlib.import_module(PROVIDER)
steps["used"] = sorted(sys.modules)
print("STEPS", json.dumps(steps))
"""


@rule()
async def spec_is_valid(case: Case) -> None:
    """The declaration is what the plugin API says: names, texts, settings, bounds."""
    found = await _found(case)
    plugin = found.id if found else case.spec.name
    owner = found.distribution if found else f"venom-{plugin}"
    try:
        providers_of(case.manifest.venom_providers(), plugin, owner)
    except BadSpec as error:
        raise Broken(f"The declaration is refused: {error}.") from error


@rule()
async def capabilities_match_methods(case: Case) -> None:
    """The class has a method for each declared capability, and declares each method that it has."""
    found = case.class_of()
    fault = class_fault(found, case.spec)
    require(fault is None, f"It {fault[1]}." if fault else "")
    own = [one for one in found.__mro__ if not one.__module__.startswith("venom_core.sdk.")]
    written = {ability for ability in Capability for one in own if ability.value in vars(one)}
    hidden = sorted(ability.value for ability in written - case.spec.capabilities)
    require(
        not hidden,
        f"The class has {', '.join(hidden)}, and the declaration does not list that: nobody will"
        " ever ask for it.",
    )


@rule()
async def capabilities_are_examined(case: Case) -> None:
    """Each declared capability is in the part of one of the plugin's trials, where none of them
    examines all."""
    if not case.trial.part:
        return
    trials = beside(case.trial)
    if (plugin := await _found(case)) is not None:
        try:
            trials += await asyncio.to_thread(trials_of, plugin)
        except Exception as error:
            raise Broken(f"Its trials cannot be imported: {told(error)}") from error
    parts = [one.part for one in trials if one.provider in (None, case.spec.name)]
    if not all(parts):
        return
    missing = sorted(case.spec.capabilities - frozenset().union(*parts))
    require(
        not missing,
        f"No trial's part has {', '.join(missing)}, and the declaration lists that: nothing"
        " examines it.",
    )


@rule()
async def finding_imports_nothing(case: Case) -> None:
    """To find the plugin among what is installed imports no module of it."""
    if await _found(case) is None:
        raise NotApplicable("The plugin is not installed: no entry point leads to its manifest.")
    steps = await _steps(case)
    package = case.trial.manifest.split(".")[0]
    ours = [name for name in steps["found"] if name.split(".")[0] == package]
    require(not ours, f"Finding it imports {', '.join(ours)}.")


@rule()
async def loading_imports_the_manifest_only(case: Case) -> None:
    """Loading the manifest imports the standard library, the SDK and the plugin's own small
    modules, never the provider's."""
    steps = await _steps(case)
    new = set(steps["loaded"]) - set(steps["found"])
    provider = case.spec.factory.partition(":")[0]
    require(provider not in new, f"The manifest imports {provider}, where the provider is.")
    package = case.trial.manifest.split(".")[0]
    beside = {name for name in third_party(new) if name != package}
    beside |= {
        name
        for name in new
        if name.startswith("venom_core.") and not name.startswith("venom_core.sdk")
    }
    require(not beside, f"The manifest imports {', '.join(sorted(beside))}.")


@rule()
async def heavy_libraries_stay_out(case: Case) -> None:
    """Importing the provider brings no library of an engine into the server."""
    steps = await _steps(case)
    engine = case.spec.engine
    heavy = HEAVY | ({engine.module.split(".")[0]} if engine else set())
    brought = {name.split(".")[0] for name in set(steps["used"]) - set(steps["before"])} & heavy
    require(not brought, f"The provider's module imports {', '.join(sorted(brought))}.")


async def _found(case: Case) -> Found | None:
    """Return the entry point that leads to the trial's manifest; None where none does."""
    if "found" not in case.known:
        found = (await asyncio.to_thread(scan)).found
        mine = [one for one in found if one.value.replace(" ", "") == case.trial.manifest]
        case.known["found"] = mine[0] if mine else None
    entry: Found | None = case.known["found"]
    return entry


async def _steps(case: Case) -> dict[str, Any]:
    if "steps" not in case.known:
        provider, manifest = case.spec.factory.partition(":")[0], case.trial.manifest
        names = f"MANIFEST, PROVIDER = {manifest.partition(':')[0]!r}, {provider!r}\n"
        program = names + _STEPS
        try:
            case.known["steps"] = await asyncio.to_thread(printed_by, program, "STEPS")
        except AssertionError as error:
            raise Broken(f"It cannot be imported by itself: {str(error)[-400:]}") from error
    steps: dict[str, Any] = case.known["steps"]
    return steps
