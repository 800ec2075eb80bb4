"""docs/dependencies.md and docs/pl/dependencies.md: the audit, the decisions, the older system."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from tools.audit.packages import matrix, modules_of
from tools.audit.report import Audit, Row
from tools.projects import ROOT
from tools.requirement_files import FILES, WITHOUT

RESULTS = ROOT / "bench" / "results" / "dependencies.json"
TARGETS = {
    "en": ROOT / "docs" / "dependencies.md",
    "pl": ROOT / "docs" / "pl" / "dependencies.md",
}
WORDS = Path(__file__).with_suffix(".toml")
ORIGINAL = WORDS.with_name("original.toml")
_LANGUAGES = ("en", "pl")


def rendered(language: str, audit: Audit) -> str:
    """Return the page."""
    words = tomllib.loads(WORDS.read_text(encoding="utf-8"))[language]
    parts = [
        words["head"].strip(),
        *_audit(audit, words),
        *_matrix(_LANGUAGES.index(language), words),
        *_docker(audit, words),
        *_original(audit, words),
        *_files(words),
    ]
    return "\n\n".join(parts) + "\n"


def _audit(audit: Audit, words: Mapping[str, str]) -> Iterable[str]:
    yield f"## {words['audit']}"
    yield words["audit_intro"]
    if audit.heavy:
        yield f"**{words['heavy_some']}** {_code(audit.heavy)}."
    else:
        yield f"**{words['heavy_none']}**"
    titles = ("package", "used", "kind", "path", "reached", "critical")
    yield _table([words[name] for name in titles], (_audited(row, words) for row in audit.rows))
    yield f"{words['attempted']} {_code(audit.attempted)}."


def _audited(row: Row, words: Mapping[str, str]) -> list[str]:
    # Neither modules nor counts: every import more would make the page stale.
    modules = _code(sorted({".".join(name.split(".")[:2]) for name in row.modules}))
    kinds = ", ".join(sorted(row.kinds))
    way = " → ".join(f"`{step}`" for step in row.path)
    reached, critical = (words["yes" if one else "no"] for one in (row.at_start, row.critical))
    return [f"`{row.package}`", modules or "", kinds or "through", way, reached, critical]


def _matrix(language: int, words: Mapping[str, str]) -> Iterable[str]:
    yield f"## {words['matrix']}"
    yield words["matrix_intro"]
    titles = ("package", "cluster", "status", "extra", "megabytes", "start_ms", "ram_mb", "demo")
    rows = []
    for one in matrix():
        cost = _measured().get(one.name, {})
        figures = (_figure(cost.get(name), words) for name in ("megabytes", "start_ms", "ram_mb"))
        kind, by = ("with", _code(one.parents)) if one.parents else ("tool", "")
        why = one.why[language] or words[kind].format(by)
        risk = one.risk[language] or words[f"{kind}_risk"].format(by)
        rows.append(
            [
                f"`{one.name}`", f"`{one.cluster}`", f"`{one.status}`",
                f"`{one.lock}`" if one.lock else words["none"], *figures,
                words["yes" if one.demo else "no"], why, risk,
            ]
        )  # fmt: skip
    yield _table([*(words[name] for name in titles), words["why"], words["risk"]], rows)


def _docker(audit: Audit, words: Mapping[str, str]) -> Iterable[str]:
    yield f"## {words['docker']}"
    yield words["docker_intro"]
    rows = [
        [f"`{one['module']}`", one["kind"], words["yes" if one["start"] else "no"]]
        for one in _original_facts()["docker"]
    ]
    used = next((row for row in audit.rows if row.package == "docker"), None)
    rows.append(["**Venom**", words["none"] if used is None else _code(used.modules), words["no"]])
    yield _table([words["module"], words["kind"], words["its_start"]], rows)


def _original(audit: Audit, words: Mapping[str, str]) -> Iterable[str]:
    yield f"## {words['original']}"
    yield words["original_intro"]
    ours = {module: row for row in audit.rows for module in modules_of(row.package)}
    rows = []
    for one in _original_facts()["heavy"]:
        row = ours.get(one["package"])
        kinds = ", ".join(sorted(row.kinds)) or "through" if row else words["none"]
        kind = words["none"] if one["kind"] == "none" else one["kind"]
        critical = (one["critical"], row is not None and row.critical)
        verdicts = (words["yes" if each else "no"] for each in critical)
        there, here = verdicts
        rows.append([f"`{one['package']}`", kind, there, kinds, here])
    titles = ("package", "its_kind", "its_critical", "ours", "ours_critical")
    yield _table([words[name] for name in titles], rows)


def _files(words: Mapping[str, str]) -> Iterable[str]:
    yield f"## {words['files']}"
    yield words["files_intro"]
    rows = [[f"`{one.name}`", f"`{one.install}`"] for one in FILES]
    rows += [[f"`{name}`", words["none"]] for name in WITHOUT]
    yield _table([words["file"], words["command"]], rows)


@cache
def _measured() -> Mapping[str, Any]:
    found: Mapping[str, Any] = json.loads(RESULTS.read_text(encoding="utf-8"))["packages"]
    return found


@cache
def _original_facts() -> Mapping[str, Any]:
    return tomllib.loads(ORIGINAL.read_text(encoding="utf-8"))


def _figure(value: float | None, words: Mapping[str, str]) -> str:
    return words["not_run"] if value is None else f"{value:g}"


def _code(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _table(head: list[str], rows: Iterable[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |".replace("|  |", "| |") for cells in lines)
