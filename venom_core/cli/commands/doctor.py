"""`venom doctor`."""

from __future__ import annotations

from typing import Any

import click

from venom_core.cli import checks
from venom_core.cli.checks import Finding
from venom_core.cli.connection.session import connected
from venom_core.cli.exit_codes import ExitCode
from venom_core.cli.logs import log_file
from venom_core.cli.options import json_option
from venom_core.cli.tables import cells, padded
from venom_core.cli.terminal import print_beside, print_json, say
from venom_core.cli.wording import words
from venom_core.sdk.errors import VenomError
from venom_core.settings.paths import Paths

_HELP = """Check this installation and say how to repair what is wrong.

It looks at Python, the data directory, the settings, the server and its port, the page, every
plugin and provider, and runs the checks that plugins bring. It ends with 1 where something that is
required is broken.

\b
  venom doctor
  venom doctor --json | jq '.findings[] | select(.level == "problem")'
"""
_SIGNS = {"ok": "ok", "note": "note", "problem": "BAD"}
_SIGN_WIDTH = 4


@click.command(help=_HELP)
@json_option
def doctor(as_json: bool) -> int:
    paths = Paths.resolve()
    findings = examine(paths)
    failed = any(finding.failed for finding in findings)
    if as_json:
        records = [finding.record() for finding in findings]
        print_json({"ok": not failed, "findings": records, "log": str(log_file(paths))})
    else:
        _print(findings, failed, str(log_file(paths)))
    return ExitCode.FAILED if failed else ExitCode.OK


def examine(paths: Paths) -> list[Finding]:
    """Return every finding, the machine's first. A check that itself fails becomes a finding."""
    found = [checks.check_python(), checks.check_machine(), checks.check_home(paths)]
    finding, settings = checks.check_settings(paths)
    found += [finding, checks.check_store(paths), checks.check_server(paths)]
    if settings is None:
        return found
    found += [checks.check_port(settings, paths), checks.check_page()]
    found += filter(None, (checks.check_key_file(settings), checks.check_graphics()))
    found += _examine_plugins()
    if (logs := checks.check_engine_logs(paths)) is not None:
        found.append(logs)
    for warning in settings.warnings:
        if warning == finding.message:
            continue
        found.append(checks.Finding("settings", "problem", warning, "venom config show"))
    return found


def _examine_plugins() -> list[Finding]:
    """Ask the running server where there is one: its providers are the ones that count."""
    try:
        with connected("venom doctor", writes=False) as session:
            found = session.run(_ask(session.connection))
    except VenomError as error:
        return [checks.Finding.of("plugins", error, required=True)]
    return found


async def _ask(connection: Any) -> list[Finding]:
    overview = await connection.overview()  # asks every provider for its health
    found = list(checks.plugin_findings(await connection.plugins()))
    found += checks.alias_findings((await connection.aliases())["aliases"])
    found += checks.profile_findings(await connection.profiles())
    ready = await connection.readiness()
    found.append(checks.readiness_finding(overview["profile"], ready))
    for report in await connection.doctor():
        level: Any = "ok" if report["ok"] else "problem"
        name = f"plugin {report['plugin']}"
        message = f"{report['title']}: {report['message']}"
        found.append(checks.Finding(name, level, message, report["fix"]))
    return found


def _print(findings: list[Finding], failed: bool, log: str) -> None:
    names = [_named(finding.name) for finding in findings]
    width = max(map(cells, names))
    for name, finding in zip(names, findings, strict=True):
        sign = padded(words(_SIGNS[finding.level]), _SIGN_WIDTH)
        print_beside(f"{sign}  {padded(name, width)}  ", words(finding.message))
        if finding.fix and finding.level != "ok":
            print_beside(f"{' ' * (width + _SIGN_WIDTH + 4)}", words(f"Fix: {finding.fix}"))
    print_beside(f"\n{words('Log:')} ", log)
    say(
        "Something that is required is broken." if failed else "Nothing that is required is broken."
    )


def _named(name: str) -> str:
    """Return what was looked at; a plugin's or alias's own name stays as it is."""
    kind, _, own = name.partition(" ")
    return f"{words(kind)} {own}" if kind in ("plugin", "provider", "alias") else words(name)
