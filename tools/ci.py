"""`.ci/run`: every command of the repository in a clean clone, and a table of what ran.

Each stage has a log of its own; the end of it is printed where the stage is red. A stage that
should run tests and ran none is red, whatever its exit code. The last line sums up all tests.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOGS = ROOT / ".cache" / "ci"
JUNIT = ROOT / ".cache" / "junit"
TAIL = 80
#: The whole run may take as long; what is left of it is for who comes after a stage.
MINUTES = 90.0
NOT_RUN = "not run"
#: What a stage says that lacks what it needs.
LACKS = re.compile(r"^not run: (.+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Stage:
    """A `make` target.

    Args:
        tests: it writes .cache/junit/NAME.xml and has to have run some of them.
        minutes: after this long it is ended, and red.
        words: further words of the command line.
        expects: text that its output must hold, where the exit code alone says too little.
        room: minutes that have to be left of the run for it to begin; else it is not run.
        may_lack: on a machine that lacks what it needs it says `not run: REASON`, and runs no test.
    """

    name: str
    minutes: float = 10
    tests: bool = False
    words: tuple[str, ...] = ()
    expects: str | None = None
    room: float = 0
    may_lack: bool = False


@dataclass(slots=True)
class Outcome:
    stage: Stage
    state: str
    seconds: float = 0.0
    counts: dict[str, int] = field(default_factory=dict)
    why: str = ""


# In the order in which a break is found soonest; all of them are required.
STAGES = (
    Stage("dev", 15),
    Stage("check", 10),
    Stage("docs", 10, expects="0 broken links"),
    Stage("test-web", 10),
    Stage("test", 35, tests=True),
    Stage("e2e", 20, tests=True),
    Stage("smoke", 12, tests=True, may_lack=True),
    Stage("test-clients", 15, tests=True),
    Stage("test-install", 20, tests=True),
    Stage("test-lowest", 20, tests=True),
    Stage("test-engines", 25, tests=True),
    Stage("run", 10, words=("ONCE=1",), expects="Warsaw"),
    Stage("bench", 20, words=("BENCH=--quick --no-write",)),
    # In an environment of its own, which is gigabytes: fetched and made each time.
    Stage("test-vllm", 40, tests=True, room=25),
)


def main(stages: Iterable[Stage] = STAGES) -> int:
    shutil.rmtree(JUNIT, ignore_errors=True)
    LOGS.mkdir(parents=True, exist_ok=True)
    ends = time.monotonic() + MINUTES * 60
    outcomes = [_run(stage, (ends - time.monotonic()) / 60) for stage in stages]
    print(f"\n{'stage':14}{'ran':14}{'seconds':>8}{'passed':>8}{'failed':>8}{'skipped':>8}")
    for one in outcomes:
        numbers = "".join(f"{one.counts[key]:8}" for key in ("passed", "failed", "skipped")
                          if one.counts)  # fmt: skip
        print(f"{one.stage.name:14}{one.state:14}{one.seconds:8.0f}{numbers}")
    totals = {key: sum(one.counts.get(key, 0) for one in outcomes)
              for key in ("passed", "failed", "skipped")}  # fmt: skip
    red = [one.stage.name for one in outcomes if one.state not in ("green", NOT_RUN)]
    for one in outcomes:
        if one.state == NOT_RUN:
            print(f"\n{one.stage.name} was not run: {one.why}")
    print(f"\nred: {', '.join(red)}" if red else "\nall stages that ran are green")
    print(f"{totals['passed']} passed, {totals['failed']} failed, {totals['skipped']} skipped")
    return 1 if red else 0


def _run(stage: Stage, left: float) -> Outcome:
    """Run a stage, for which ``left`` minutes of the whole run are there."""
    if left < stage.room:
        needed = f"it needs {stage.room:.0f} minutes of the run's {MINUTES:.0f}"
        return Outcome(stage, NOT_RUN, why=f"{needed}, and fewer were left")
    print(f"-- {stage.name} ...", flush=True)
    log = LOGS / f"{stage.name}.log"
    started = time.monotonic()
    minutes = min(stage.minutes, left - 1) if stage.room else stage.minutes
    code = _command(["make", "--no-print-directory", stage.name, *stage.words], log, minutes)
    seconds = time.monotonic() - started
    output = log.read_text(encoding="utf-8", errors="replace")
    counts = _counts(JUNIT / f"{stage.name}.xml") if stage.tests else {}
    if stage.may_lack and code and not counts and (lacks := LACKS.search(output)):
        return Outcome(stage, NOT_RUN, seconds, why=lacks[1])
    state = _state(stage, code, output, counts)
    if state != "green":
        print(f"-- {stage.name}: {state} (exit {code}); the end of its log:")
        print("\n".join(output.splitlines()[-TAIL:]), flush=True)
    return Outcome(stage, state, seconds, counts)


def _state(stage: Stage, code: int | None, output: str, counts: dict[str, int]) -> str:
    if code is None:
        return "out of time"
    if stage.tests and not counts.get("passed", 0) + counts.get("failed", 0):
        return "ran no test"
    if code or counts.get("failed"):
        return "red"
    if stage.expects and stage.expects not in output:
        return f"no {stage.expects}"
    return "green"


def _command(command: list[str], log: Path, minutes: float) -> int | None:
    """Run it in a process group of its own, so that its end is the end of all it started.

    Returns:
        Its exit code, or None where it took too long.
    """
    with log.open("wb") as out:
        child = subprocess.Popen(
            command, cwd=ROOT, stdout=out, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
            env=_environment(), start_new_session=True,
        )  # fmt: skip
        try:
            return child.wait(timeout=minutes * 60)
        except subprocess.TimeoutExpired:
            return None
        finally:
            _end(child)


def _environment() -> dict[str, str]:
    """A data directory in the clone: no stage reads or fills the one of whoever runs this."""
    home = str(ROOT / ".cache" / "ci" / "home")
    return {**os.environ, "CI": "true", "PYTHONUNBUFFERED": "1", "VENOM_HOME": home}


def _end(child: subprocess.Popen[bytes]) -> None:
    for sign in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(child.pid, sign)
        except ProcessLookupError:
            break
        try:
            child.wait(timeout=10)
        except subprocess.TimeoutExpired:
            continue


def _counts(junit: Path) -> dict[str, int]:
    """Passed, failed and skipped of a JUnit file; nothing where it was not written."""
    if not junit.is_file():
        return {}
    suites = list(ET.parse(junit).getroot().iter("testsuite"))
    total = {
        key: sum(int(suite.get(key, "0")) for suite in suites)
        for key in ("tests", "failures", "errors", "skipped")
    }
    failed = total["failures"] + total["errors"]
    passed = total["tests"] - failed - total["skipped"]
    return {"passed": passed, "failed": failed, "skipped": total["skipped"]}


if __name__ == "__main__":
    sys.exit(main())
