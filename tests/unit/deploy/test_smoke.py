"""`make smoke`: a machine that lacks something is told what, and its report hides nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.ci import LACKS
from tools.containers import programs, smoke
from tools.containers.programs import Missing

JUNIT = """<testsuites><testsuite>
<testcase name="test_hi_gets_a_sentence" time="1.25"/>
<testcase name="test_b" time="0"><skipped message="no card"/></testcase>
<testcase name="test_c" time="2"><failure message="AssertionError: x"/></testcase>
<testcase name="test_d" time="2"><error message="at its end"/></testcase>
</testsuite></testsuites>"""


def test_each_check_ran_or_is_red_or_says_why_not(tmp_path: Path) -> None:
    (tmp_path / "smoke.xml").write_text(JUNIT, encoding="utf-8")
    found = {
        one["check"]: (one["state"], one["why"]) for one in smoke.checks(tmp_path / "smoke.xml")
    }
    assert found == {
        "hi gets a sentence": ("ran", ""),
        "b": ("not run", "no card"),
        "c": ("red", "AssertionError: x"),
        "d": ("red", "at its end"),
    }


def test_what_is_missing_is_said_as_ci_reads_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def lacks() -> None:
        raise Missing("podman not found")

    monkeypatch.setattr(smoke, "ensure_programs", lacks)
    monkeypatch.setattr(smoke, "JUNIT", tmp_path / "smoke.xml")
    assert smoke.main() == 1
    found = LACKS.search(capsys.readouterr().out)
    assert found is not None and found[1] == "podman not found"


def test_programs_are_not_installed_where_we_are_not_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(programs.shutil, "which", lambda name: None)
    monkeypatch.setattr(programs.os, "geteuid", lambda: 1000)
    with pytest.raises(Missing, match=r"buildah, podman, runc not found .*sudo apt-get install"):
        programs.ensure_programs()
