"""Running the checks that plugins bring to ``venom doctor``, each isolated and with a deadline."""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice

import pluggy

from venom_core.plugins.isolation import bounded, cause_of, in_thread
from venom_core.sdk.hookspecs import DoctorCheck, DoctorFinding

logger = logging.getLogger(__name__)

CHECK_TIMEOUT = 10.0
MOST_CHECKS = 64
_LOG_FIX = "The log has the details: venom logs"


@dataclass(frozen=True, slots=True)
class DoctorReport:
    """The finding of one check of one plugin."""

    plugin: str
    check: str
    finding: DoctorFinding


async def run_checks(
    plugins: Sequence[tuple[str, pluggy.PluginManager]], hook_timeout: float
) -> list[DoctorReport]:
    """Collect and run the checks of all plugins side by side; what fails becomes a finding."""
    reports = await asyncio.gather(
        *(_of_plugin(name, hooks, hook_timeout) for name, hooks in plugins)
    )
    return [report for group in reports for report in group]


async def _of_plugin(
    plugin: str, hooks: pluggy.PluginManager, timeout: float
) -> list[DoctorReport]:
    if not hooks.hook.venom_doctor_checks.get_hookimpls():
        return []
    try:
        checks = await in_thread(lambda: _collect(hooks), name=f"doctor {plugin}", timeout=timeout)
    except Exception as error:
        logger.warning("plugin %s brought no doctor checks", plugin, exc_info=error)
        cause = cause_of(error)
        message = f"The plugin {plugin} could not say what to check ({type(cause).__name__})."
        return [DoctorReport(plugin, "checks", DoctorFinding(False, "Checks", message, _LOG_FIX))]
    findings = await asyncio.gather(*(_run(plugin, check) for check in checks))
    return [
        DoctorReport(plugin, check.name, finding)
        for check, finding in zip(checks, findings, strict=True)
    ]


def _collect(hooks: pluggy.PluginManager) -> list[DoctorCheck]:
    returned: list[Iterable[object]] = hooks.hook.venom_doctor_checks()
    checks = list(islice(returned[0], MOST_CHECKS)) if returned else []
    if not all(isinstance(check, DoctorCheck) for check in checks):
        raise TypeError("venom_doctor_checks returned something else than DoctorCheck")
    return [check for check in checks if isinstance(check, DoctorCheck)]


async def _run(plugin: str, check: DoctorCheck) -> DoctorFinding:
    async def work() -> object:
        pending: object = check.run()
        return await pending if inspect.isawaitable(pending) else pending

    try:
        finding: object = await bounded(work, CHECK_TIMEOUT)
    except TimeoutError:
        message = f"The check did not end within {CHECK_TIMEOUT:g} s."
        return DoctorFinding(False, check.name, message, f"venom plugins disable {plugin}")
    except Exception as error:
        cause = cause_of(error)
        logger.warning("doctor check %s of %s failed", check.name, plugin, exc_info=cause)
        message = f"The check itself failed ({type(cause).__name__})."
        return DoctorFinding(False, check.name, message, _LOG_FIX)
    if isinstance(finding, DoctorFinding):
        return finding
    message = f"The check returned {type(finding).__name__} and no finding."
    return DoctorFinding(False, check.name, message, "Report it to the plugin's authors.")
