"""Steps of a build that hang are ended, with their children, and started again."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest

from tools import command
from tools.command import quiet
from venom_core.testing.deadlines import eventually, patience

#: A step that starts a child, which writes a file once a moment, says where it stands, and hangs.
STEP = """
import pathlib, subprocess, sys, time
folder = pathlib.Path(sys.argv[1])
tries = len(list(folder.glob("try.*")))
(folder / f"try.{tries}").touch()
if tries == int(sys.argv[2]):
    sys.exit(int(sys.argv[3]))
beat = "import pathlib, sys, time\\nwhile True: pathlib.Path(sys.argv[1]).touch(); time.sleep(.01)"
subprocess.Popen([sys.executable, "-c", beat, str(folder / "beat")])
while not (folder / "beat").exists():
    time.sleep(0.01)
print("hanging", flush=True)
time.sleep(600)
"""


def step(folder: Path, *, hangs: int, code: int = 0) -> list[str]:
    return [sys.executable, "-c", STEP, str(folder), str(hangs), str(code)]


def is_still(path: Path) -> bool:
    before = path.stat().st_mtime_ns
    time.sleep(0.1)
    return path.stat().st_mtime_ns == before


def test_a_step_that_hangs_is_started_again(tmp_path: Path) -> None:
    quiet(step(tmp_path, hangs=1), cwd=tmp_path, log=tmp_path / "log", silence=patience(2))
    assert len(list(tmp_path.glob("try.*"))) == 2
    assert eventually(lambda: is_still(tmp_path / "beat")), "its child lives on"


def test_one_that_hangs_each_time_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, "TRIES", 2)
    with pytest.raises(SystemExit, match=r"nothing new for .* s, 2 times; the whole log"):
        quiet(step(tmp_path, hangs=9), cwd=tmp_path, log=tmp_path / "log", silence=patience(1))
    assert len(list(tmp_path.glob("try.*"))) == 2


@pytest.mark.parametrize("silence", [None, 60])
def test_one_that_fails_is_not_started_again(tmp_path: Path, silence: float | None) -> None:
    with pytest.raises(SystemExit, match="exit 7"):
        quiet(step(tmp_path, hangs=0, code=7), cwd=tmp_path, log=tmp_path / "log", silence=silence)
    assert len(list(tmp_path.glob("try.*"))) == 1
