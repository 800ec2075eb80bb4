"""The reference pages say what the code says: codes with their status, settings, routes, exits."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest
from fastapi import FastAPI
from starlette.routing import Mount, Route

from tests.unit.docs import codes
from tests.unit.docs.pages import DOCS, ROOT, code_sections
from tools.plugins import packages
from venom_core.api.app import create_app
from venom_core.cli.exit_codes import MEANINGS
from venom_core.composition import Venom
from venom_core.sdk.spec import Setting
from venom_core.settings.core import CORE_SETTINGS
from venom_core.settings.variables import provider_variable

LANGUAGES = ("", "pl/")
#: Other paths of a route that has its heading.
ALIASES = {"GET /health", "GET /v1/health"}
#: What stands below 429 never reaches a provider's record: it is about one request.
FIRST_STATUS_OF_A_REASON = 429
#: Written by the command line alone, without an exception.
NOT_RAISED = {"usage"}
#: Of installing, building, starting the server, keys, clients, translating: no provider has them.
NOT_OF_PROVIDERS = {
    "backup_damaged", "backup_failed", "benchmark_timeout", "build_environment_damaged",
    "build_environment_missing",
    "build_failed", "empty_translation", "environment_not_available",
    "install_failed", "install_timeout",
    "key_file_unreadable", "not_implemented", "ollama_cloud_limit", "quota_exceeded",
    "selftest_timeout",
    "server_gone", "server_needed",
    "page_missing", "service_manager_failed", "service_manager_missing", "service_not_written",
    "start_failed", "store_damaged", "store_full", "store_locked", "store_too_new",
    "store_unreadable", "too_little_memory", "translation_cut", "translation_damaged",
    "uninstall_failed", "unload_incomplete", "answer_cut", "answer_too_long", "server_stopping",
    "too_many_answers",
}  # fmt: skip


@pytest.mark.parametrize("folder", LANGUAGES)
def test_every_error_code_is_explained_with_its_status(folder: str) -> None:
    told = code_sections(DOCS / folder / "errors.md")
    # A provider that is closed refuses with its reason's code, and links to this page too.
    assert set(told) - NOT_RAISED == set(codes.raised()) | codes.reasons()
    wrong = {
        code: (text[:12], sorted(codes.raised()[code]))
        for code, text in told.items()
        if code in codes.raised()
        and not any(text.startswith(f"**{status}** ") for status in codes.raised()[code])
    }
    assert not wrong


@pytest.mark.parametrize("folder", LANGUAGES)
def test_every_reason_is_explained(folder: str) -> None:
    told = set(code_sections(DOCS / folder / "plugins" / "states.md"))
    raised = {
        code
        for code, statuses in codes.raised().items()
        if max(statuses) >= FIRST_STATUS_OF_A_REASON
    }
    installing = codes.CAUSES - {"disk_full"}
    assert told == (codes.reasons() | raised) - installing - NOT_OF_PROVIDERS


def settings() -> Iterator[tuple[str, str, Setting]]:
    for part in CORE_SETTINGS:
        yield part.env, part.key, part.setting
    for package in packages(ROOT):
        for spec in import_module(f"{package}.plugin").venom_providers():
            for setting in spec.settings:
                key = f"providers.{spec.name}.{setting.name}"
                yield provider_variable(spec.name, setting.name), key, setting


@pytest.mark.parametrize("folder", LANGUAGES)
def test_every_setting_is_told_as_declared(folder: str) -> None:
    told = code_sections(DOCS / folder / "configuration.md")
    declared = {env: (key, setting) for env, key, setting in settings()}
    assert set(told) - {"VENOM_HOME"} == set(declared)
    wrong = [
        f"{env}: {fact!r}"
        for env, (key, setting) in declared.items()
        for fact in (f"`{key}`", *facts(setting))
        if fact not in told[env]
    ]
    assert not wrong


def facts(setting: Setting) -> Iterator[str]:
    """Yield what a setting's section must contain."""
    for word in (*setting.choices, *setting.env_aliases):
        yield f"`{word}`"
    default = setting.default
    if default is False:
        yield "`false`"
    elif isinstance(default, str) or (isinstance(default, int | float) and default is not True):
        yield f"`{default:g}`" if isinstance(default, float) else f"`{default}`"
    for bound in (setting.minimum, setting.maximum):
        if bound is not None:
            yield f"{bound:g}" if abs(bound) < 1e6 else f"{bound:.0f}"


@pytest.mark.parametrize("folder", LANGUAGES)
def test_every_route_has_its_heading(folder: str, tmp_path: Path) -> None:
    app = create_app(Venom.from_environment({"VENOM_HOME": str(tmp_path)}))
    told = {
        re.sub(r"{\w+}", "{}", name)
        for name in code_sections(DOCS / folder / "api.md")
        if name.split(" ")[0] in {"GET", "POST", "DELETE"}
    }
    assert told == set(routes(app)) - ALIASES


def routes(app: FastAPI) -> Iterator[str]:
    """``GET /v1/models/{}``: method and path, whatever a parameter is called."""
    found = [
        (method.upper(), path)
        for path, methods in app.openapi()["paths"].items()
        for method in methods
    ]
    for route in app.routes:
        inner = [route] if isinstance(route, Route) else getattr(route, "routes", [])
        prefix = route.path if isinstance(route, Mount) else ""
        for one in inner:
            found += [(method, prefix + one.path) for method in one.methods or ()]
    for method, path in found:
        if method != "HEAD":
            yield f"{method} {re.sub(r'{[^}]*}', '{}', path)}"


@pytest.mark.parametrize("folder", LANGUAGES)
def test_the_exit_codes_are_those_of_the_code(folder: str) -> None:
    text = (DOCS / folder / "cli.md").read_text(encoding="utf-8")
    assert [int(n) for n in re.findall(r"^\| (\d+) \|", text, re.MULTILINE)] == list(MEANINGS)


def test_the_decisions_are_listed() -> None:
    listed = set(re.findall(r"\((\d{4}-[\w-]+\.md)\)", (DOCS / "adr/index.md").read_text()))
    assert listed == {path.name for path in (DOCS / "adr").glob("0*.md")}
