"""The table of CI: red is red, and so is a stage that ran nothing, said nothing or never ended."""

from __future__ import annotations

from pathlib import Path

import psutil
import pytest

from tools import ci
from venom_core.testing.deadlines import eventually

JUNIT = '<testsuites><testsuite tests="{}" failures="{}" errors="0" skipped="{}"/></testsuites>'
MAKEFILE = """
good: ; @echo fine
bad: ; @echo broken; exit 3
tested: ; @mkdir -p .cache/junit; cp passed.xml .cache/junit/tested.xml
skipped: ; @mkdir -p .cache/junit; cp skipped.xml .cache/junit/skipped.xml
lying: ; @mkdir -p .cache/junit; cp failed.xml .cache/junit/lying.xml
untested: ; @true
lacking: ; @echo "not run: no podman"; exit 1
late: ; @mkdir -p .cache/junit; cp failed.xml .cache/junit/late.xml; echo "not run: x"; exit 1
slow: ; @sleep 60 & echo $$! > slow.pid; wait
"""


@pytest.fixture(autouse=True)
def _workshop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "Makefile").write_text(MAKEFILE, encoding="utf-8")
    for name, numbers in {"passed": (3, 0, 1), "skipped": (2, 0, 2), "failed": (3, 1, 0)}.items():
        (tmp_path / f"{name}.xml").write_text(JUNIT.format(*numbers), encoding="utf-8")
    for name, path in {"ROOT": ".", "LOGS": ".cache/ci", "JUNIT": ".cache/junit"}.items():
        monkeypatch.setattr(ci, name, tmp_path / path)


@pytest.mark.parametrize(
    ("stage", "state"),
    [
        (ci.Stage("good"), "green"),
        (ci.Stage("good", expects="fine"), "green"),
        (ci.Stage("good", expects="Warsaw"), "no Warsaw"),
        (ci.Stage("bad"), "red"),
        (ci.Stage("tested", tests=True), "green"),
        (ci.Stage("skipped", tests=True), "ran no test"),
        (ci.Stage("untested", tests=True), "ran no test"),
        (ci.Stage("lying", tests=True), "red"),
        (ci.Stage("no-such-target"), "red"),
        (ci.Stage("lacking", tests=True), "ran no test"),
        (ci.Stage("late", tests=True, may_lack=True), "red"),
        (ci.Stage("bad", may_lack=True), "red"),
    ],
)
def test_states(stage: ci.Stage, state: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert ci.main([stage]) == (0 if state == "green" else 1)
    assert f"{stage.name:14}{state}" in capsys.readouterr().out


def test_the_table_and_the_last_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert ci.main([ci.Stage("tested", tests=True), ci.Stage("bad")]) == 1
    out = capsys.readouterr().out
    assert "broken" in out  # the end of the red stage's log
    assert "red: bad" in out
    assert out.splitlines()[-1] == "2 passed, 0 failed, 1 skipped"


def test_a_stage_without_room_is_not_run_and_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stages = [ci.Stage("good", room=25), ci.Stage("tested", tests=True)]
    monkeypatch.setattr(ci, "MINUTES", 24.9)
    assert ci.main(stages) == 0
    out = capsys.readouterr().out
    assert f"{'good':14}not run" in out and "good was not run: it needs 25 minutes" in out
    assert out.splitlines()[-1] == "2 passed, 0 failed, 1 skipped"
    monkeypatch.setattr(ci, "MINUTES", 26)
    assert ci.main(stages) == 0
    assert f"{'good':14}green" in capsys.readouterr().out


def test_a_stage_that_lacks_what_it_needs_is_not_run_and_says_what(
    capsys: pytest.CaptureFixture[str],
) -> None:
    stages = [ci.Stage("lacking", tests=True, may_lack=True), ci.Stage("tested", tests=True)]
    assert ci.main(stages) == 0
    out = capsys.readouterr().out
    assert f"{'lacking':14}not run" in out and "lacking was not run: no podman" in out


def test_a_stage_with_room_ends_with_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ci, "MINUTES", 1.02)
    assert ci.main([ci.Stage("slow", minutes=10, room=1)]) == 1


def test_a_stage_out_of_time_leaves_no_process(tmp_path: Path) -> None:
    assert ci.main([ci.Stage("slow", minutes=1 / 60)]) == 1
    pid = int((tmp_path / "slow.pid").read_text(encoding="utf-8"))
    assert eventually(lambda: not psutil.pid_exists(pid)), f"process {pid} outlived its stage"
