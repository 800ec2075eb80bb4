"""The checks of `venom doctor`, each with a finding that says how to mend it.

``required`` findings that fail make the command end with 1; the others are told and forgiven.
"""

from __future__ import annotations

import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import venom_core
from venom_core._version import __version__
from venom_core.cli.connection.lock import stop_command
from venom_core.cli.connection.server_file import answers, find_server
from venom_core.cli.listening import PortInUse, listen
from venom_core.cli.page_build import what_is_missing
from venom_core.cli.terminal import memory, size
from venom_core.runtime.log_files import find_logs
from venom_core.sdk.errors import VenomError
from venom_core.sdk.machine import this_machine
from venom_core.sdk.programs import GPU_PROGRAM, look_for
from venom_core.settings.key_file import read_key_file
from venom_core.settings.paths import Paths
from venom_core.settings.profiles import LEGACY_LIGHT_ENDS
from venom_core.ui import is_built

if TYPE_CHECKING:
    from venom_core.settings.layers import Settings

Level = Literal["ok", "note", "problem"]
OLDEST_PYTHON = (3, 11)
LITTLE_DISK = 2_000_000_000


@dataclass(frozen=True, slots=True)
class Finding:
    """One line. A ``note`` is no fault; a ``problem`` is one, and a failure where ``required``."""

    name: str
    level: Level
    message: str
    fix: str | None = None
    code: str | None = None
    required: bool = False

    @property
    def failed(self) -> bool:
        return self.required and self.level == "problem"

    def record(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "level": self.level,
            "required": self.required,
            "message": self.message,
            "fix": self.fix,
            "code": self.code,
        }

    @classmethod
    def of(cls, name: str, error: VenomError, *, required: bool = False) -> Finding:
        return cls(name, "problem", error.message, error.fix, error.code, required)


def check_python() -> Finding:
    message = f"Python {platform.python_version()} ({sys.executable}), Venom {__version__}"
    if sys.version_info[:2] >= OLDEST_PYTHON:
        return Finding("python", "ok", message, required=True)
    return Finding("python", "problem", message, "Install Python 3.11 or newer.", None, True)


def check_machine() -> Finding:
    machine = this_machine()
    return Finding(
        "machine",
        "ok",
        f"{machine.system}, {machine.cores} cores, {memory(machine.memory_available_bytes)} of "
        f"{memory(machine.memory_total_bytes)} memory free",
    )


def check_home(paths: Paths) -> Finding:
    """Check by trying whether the data directory can be written."""
    try:
        paths.make(paths.home)
        with tempfile.TemporaryFile(dir=paths.home) as probe:
            probe.write(b"x")
    except VenomError as error:
        return Finding.of("data directory", error, required=True)
    except OSError as error:
        return Finding.of("data directory", paths.not_writable(error), required=True)
    free = shutil.disk_usage(paths.home).free
    message = f"{paths.home} can be written, {size(free)} free"
    if free < LITTLE_DISK:
        fix = "Make room, or choose another folder: VENOM_HOME=/path"
        return Finding("data directory", "problem", f"{message}: too little for models", fix)
    return Finding("data directory", "ok", message, required=True)


def check_store(paths: Paths) -> Finding:
    """Check whether the store is sound, opens, and count its keys. Makes no store where there is
    none."""
    if not paths.store_file.exists():
        return Finding("store", "ok", "not there yet; the first API key makes it")
    # Imported here: the store is too slow for `doctor --help`.
    from venom_core.store.database import open_database
    from venom_core.store.keys import KeyRepository
    from venom_core.store.refusals import faults_of, store_damaged

    try:
        faults = faults_of(paths.store_file)
        if faults:
            raise store_damaged("; ".join(faults))
        keys = KeyRepository(open_database(paths.store_file)).list()
    except VenomError as error:
        return Finding.of("store", error, required=True)
    active = sum(key.revoked_at is None for key in keys)
    needed = "requests need one" if active else "requests from this machine need none"
    return Finding("store", "ok", f"sound; {active} active API keys, {needed}", required=True)


def check_settings(paths: Paths) -> tuple[Finding, Settings | None]:
    # Imported here: pydantic is too slow for `doctor --help`.
    from venom_core.settings.layers import Settings

    try:
        settings = Settings.load(paths, os.environ)
    except VenomError as error:
        return Finding.of("settings", error, required=True), None
    if (problem := settings.problem) is not None:
        finding = Finding.of("settings", problem, required=True)
        told = (text for text in settings.warnings if text.startswith(problem.message))
        return replace(finding, message=next(told, problem.message)), settings
    file = paths.config_file
    there = f"{file} is read" if file.exists() else f"{file} is not there, defaults are used"
    return Finding("settings", "ok", there, required=True), settings


def check_key_file(settings: Settings) -> Finding | None:
    """Check whether the key file can be used; None where the settings name none."""
    path = settings.core.api_key_file
    if not path:
        return None
    try:
        count = len(read_key_file(Path(path)))
    except VenomError as error:
        return Finding.of("key file", error, required=True)
    return Finding("key file", "ok", f"{path}: {count} keys")


def check_graphics() -> Finding | None:
    """Check whether the program that tells the graphics memory starts; None where there is none."""
    program = look_for(GPU_PROGRAM)
    if program.path is None:
        return None
    if program.fault is None:
        return Finding("graphics", "ok", f"{program.path} starts")
    return Finding(
        "graphics",
        "problem",
        f"{program.path} does not start ({program.fault}): the graphics memory is not known",
        "Install the driver of the graphics card again, or take that program off PATH.",
    )


def check_server(paths: Paths) -> Finding:
    record = find_server(paths)
    if record is None:
        return Finding("server", "note", "not running", "Start it with: venom serve")
    version = answers(record)
    server = f"{record.url}, pid {record.pid}"
    fix = f"Stop it ({stop_command(record.pid)}), then: venom serve"
    if version is None:
        message = f"{server}: is running but does not answer"
        return Finding("server", "problem", message, fix, "server_not_answering", True)
    if version != __version__:
        message = f"{server}: is Venom {version}"
        return Finding("server", "problem", message, fix, "server_version_mismatch", True)
    return Finding("server", "ok", f"{server}: answers")


def check_port(settings: Settings, paths: Paths) -> Finding:
    """Check whether the configured port is free, or held by our own server."""
    core = settings.core
    record = find_server(paths)
    if record is not None and record.url.endswith(f":{core.port}"):
        return Finding("port", "ok", f"{core.port} is held by our own server")
    try:
        listen(core.host, core.port).close()
    except PortInUse as error:
        return Finding.of("port", error)
    except VenomError as error:
        return Finding.of("port", error)
    return Finding("port", "ok", f"{core.port} on {core.host} is free")


def check_engine_logs(paths: Paths) -> Finding | None:
    """Name the newest log files of engines; None where no engine has run."""
    logs = [str(log.file) for log in find_logs(paths) if "/" in log.name]
    return Finding("engine logs", "ok", ", ".join(logs[:3])) if logs else None


def check_page() -> Finding:
    if is_built():
        return Finding("page", "ok", "built")
    if (checkout() / "Makefile").is_file():
        missing = what_is_missing(checkout())
        how = "In the checkout: make ui (needs Node 20)"
        return Finding("page", "note", missing or "not built", how)
    return Finding("page", "note", "not in this installation", "The API and the CLI need none.")


def checkout() -> Path:
    """Return the folder that this package lies in; the repository's root in a checkout."""
    return Path(venom_core.__file__).resolve().parent.parent


def plugin_findings(records: list[dict[str, Any]]) -> Iterator[Finding]:
    """Yield a finding for each plugin and provider."""
    if not records:
        fix = "venom plugins install ollama"
        yield Finding("plugins", "problem", "none is installed", fix, None, True)
    for record in records:
        name = f"plugin {record['id']}"
        summary = f"{record['distribution']} {record['version']}, {record['state']}"
        if record["reason"]:
            yield _with_reason(name, summary, record["reason"], record["state"] == "disabled")
        else:
            yield Finding(name, "ok", summary)
        for provider in record["providers"]:
            yield _provider_finding(provider)
            yield from _breach_findings(provider)


def _provider_finding(provider: dict[str, Any]) -> Finding:
    name = f"provider {provider['name']}"
    if provider["reason"]:
        # A provider that is not there is no fault where another one answers: readiness says so.
        return _with_reason(name, provider["status"], provider["reason"], True)
    return Finding(name, "ok", provider["status"])


def _breach_findings(provider: dict[str, Any]) -> Iterator[Finding]:
    """Yield a note for each rule of the law of providers that one has broken."""
    for breach in provider["breaches"]:
        message = f"broke the rule {breach['rule']} in {breach['method']}: {breach['message']}"
        fix = "The log has the details. The plugin's authors can mend it."
        yield Finding(f"provider {provider['name']}", "note", message, fix, breach["rule"])


def _with_reason(name: str, summary: str, reason: dict[str, Any], harmless: bool) -> Finding:
    return Finding(
        name,
        "note" if harmless else "problem",
        f"{summary}: {reason['message']}",
        reason["fix"],
        reason["code"],
    )


def alias_findings(aliases: list[dict[str, Any]]) -> Iterator[Finding]:
    """Yield a finding for each alias that hides a model or leads to none."""
    for alias in aliases:
        if problem := alias["problem"]:
            name = f"alias {alias['name']}"
            yield Finding(name, "problem", problem["message"], problem["fix"], problem["code"])


def profile_findings(profiles: dict[str, Any]) -> Iterator[Finding]:
    """Yield what is to be known of the profile: that it does not last, that it means what it meant
    once."""
    active, configured = profiles["active"], profiles["configured"]
    if profiles["until_restart"]:
        message = (
            f"{active} is active until Venom is started again; the settings name {configured}."
        )
        yield Finding("profile", "note", message, f"venom profile use {configured}")
    if profiles["legacy_light"]:
        message = f"light runs no model: legacy_light is set, and goes with {LEGACY_LIGHT_ENDS}."
        fix = (
            "Remove features.legacy_light from config.toml, and VENOM_LEGACY_LIGHT where it is set."
        )
        yield Finding("profile", "note", message, fix, "legacy_light")


def readiness_finding(profile: str, reasons: list[dict[str, Any]]) -> Finding:
    """Report whether the profile can be served: the one thing about providers that is required."""
    if not reasons:
        return Finding("profile", "ok", f"{profile} can be served", required=True)
    messages = " ".join(reason["message"] for reason in reasons)
    fixes = " Or: ".join(reason["fix"] for reason in reasons if reason["fix"])
    message = f"{profile} cannot be served. {messages}"
    return Finding("profile", "problem", message, fixes or None, reasons[0]["code"], True)
