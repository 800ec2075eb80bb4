"""The audit of dependencies: how an import is done, what a start reaches, what is decided."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import grimp
import pytest

from tools.audit import __main__ as command
from tools.audit import packages, page
from tools.audit.packages import decisions, matrix, problems
from tools.audit.report import Audit, Row
from tools.audit.start import record
from tools.audit.uses import Use, dynamic, kinds_by_line, reached
from venom_core.testing.imports import HEAVY


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("import numpy", "top"),
        ("if True:\n    import numpy", "top"),
        ("class A:\n    import numpy", "top"),
        ("try:\n    import numpy\nexcept ImportError:\n    numpy = None", "guarded"),
        ("with suppress(ImportError):\n    from numpy import array", "guarded"),
        ("try:\n    x = 1\nexcept ValueError:\n    import numpy", "guarded"),
        ("def f():\n    import numpy", "lazy"),
        ("async def f():\n    try:\n        import numpy\n    except ImportError: ...", "lazy"),
        ("class A:\n    def f(self):\n        from numpy import array", "lazy"),
    ],
)
def test_how_an_import_is_done(text: str, kind: str) -> None:
    assert list(kinds_by_line(ast.parse(text)).values()) == [kind]


@pytest.mark.parametrize(
    ("text", "package"),
    [
        ('importlib.import_module("numpy.linalg")', "numpy"),
        ('def f():\n    __import__("docker")', "docker"),
        ('import_module("json")', None),
        ('import_module("venom_core.api")', None),
        ("import_module(name)", None),
        ("import_module()", None),
    ],
)
def test_an_import_by_name_is_seen(text: str, package: str | None) -> None:
    found = [use.package for use in dynamic(ast.parse(text), "venom_core.a")]
    assert found == ([package] if package else [])


def graph(*imports: tuple[str, str, bool]) -> grimp.ImportGraph:
    made = grimp.ImportGraph()
    for importer, imported, lazy in imports:
        made.add_import(
            importer=importer, imported=imported, line_number=1, line_contents="", is_lazy=lazy
        )
    return made


@pytest.mark.parametrize(
    ("between", "kind", "within"),
    [
        (False, "top", True),
        (False, "guarded", True),
        (False, "dynamic", True),
        (False, "lazy", False),
        (True, "top", False),
    ],
)
def test_what_a_start_reaches(between: bool, kind: Any, within: bool) -> None:
    """``between``: the module that imports it is itself imported by a function only."""
    made = graph(("venom_core.a", "venom_core.b", between), ("venom_core.b", "numpy", False))
    uses = [Use("numpy", "venom_core.b", 1, kind)]
    assert reached(made, ["venom_core.a", "not.there"], uses) == ({"numpy"} if within else set())


def test_a_recorded_start_has_its_imports_and_nothing_heavy() -> None:
    start = record()
    assert {"uvicorn", "sqlalchemy", "pydantic"} <= start.packages
    assert start.importers["venom_core.api.app"].startswith("venom_core.")
    assert not start.packages & HEAVY


def test_every_package_is_decided_about_once() -> None:
    assert problems() == []
    rows = {row.name: row for row in matrix()}
    assert rows["httpx"].status == "required" and rows["xllamacpp"].status == "optional"
    assert rows["docker"].status == "excluded-from-light" and rows["docker"].lock is None
    assert rows["anyio"].parents and not rows["anyio"].why[0]


@pytest.mark.parametrize(
    ("name", "change", "told"),
    [
        ("httpx", None, "does not decide"),
        ("httpx", {"cluster": "ml-heavy"}, "in the cluster ml-heavy"),
        ("numpy", {"cluster": "core-light"}, "in the lock full"),
        ("numpy", {"demo": True}, "light does not bring it"),
        ("torch", {"cluster": "heavy"}, "no cluster heavy"),
        ("anyio", {"cluster": "core-light", "demo": True}, "nobody of ours asks"),
    ],
)
def test_a_decision_that_contradicts_the_extras_is_told(
    monkeypatch: pytest.MonkeyPatch, name: str, change: dict[str, Any] | None, told: str
) -> None:
    changed = dict(decisions())
    if change is None:
        del changed[name]
    else:
        changed[name] = {**changed.get(name, {}), **change}
    monkeypatch.setattr(packages, "decisions", lambda: changed)
    assert any(line.startswith(f"{name}: ") and told in line for line in problems())


@pytest.mark.parametrize("target", page.TARGETS.values(), ids=lambda path: path.parent.name)
def test_no_cell_of_the_matrix_is_empty(target: Path) -> None:
    rows = [line for line in target.read_text().splitlines() if line.count(" | ") == 9]
    assert len(rows) > len(matrix())
    assert [row for row in rows if "| |" in row] == []


def test_a_stale_page_and_a_heavy_package_are_red(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    row = Row("httpx", ("venom_core.sdk.http",), {"top": 1}, ("venom_core.sdk.http",), True, True)
    found = Audit(rows=[row], uses=[], heavy=[], attempted=[])
    monkeypatch.setattr(command, "audit", lambda: found)
    monkeypatch.setattr(command, "TARGETS", {one: tmp_path / f"{one}.md" for one in page.TARGETS})
    assert command.main(["--check"]) == 1
    assert command.main([]) == 0
    assert command.main(["--check"]) == 0
    assert "| `httpx` | `venom_core.sdk` | top |" in (tmp_path / "en.md").read_text()
    found.heavy.append("numpy")
    assert command.main(["--check"]) == 1
    assert "numpy: a heavy package within reach of a start" in capsys.readouterr().err
