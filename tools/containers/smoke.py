"""`make smoke`: the images as users have them, under podman, with a browser; a table of what ran.

SMOKE_OLLAMA=real starts the real image of Ollama; otherwise a stand-in takes its place, which says
that it is one. A machine that runs no container is told what it lacks: `not run: ...`. The report
is kept as .cache/containers/smoke.json.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

from tools.containers.base import base_image
from tools.containers.images import build
from tools.containers.programs import CACHE, Missing, ensure_programs, probe
from tools.projects import ROOT

JUNIT = ROOT / ".cache" / "junit" / "smoke.xml"
REPORT = CACHE / "smoke.json"
TESTS = "tests/e2e/containers"


def main() -> int:
    JUNIT.unlink(missing_ok=True)
    try:
        ensure_programs()
        base = base_image()
        probe(base)
        _, images = build()
    except Missing as missing:
        print(f"not run: {missing}")
        return 1
    pytest = [sys.executable, "-m", "pytest", f"--junitxml={JUNIT}", "-m", "containers", TESTS]
    code = subprocess.run(pytest, cwd=ROOT, check=False).returncode
    if JUNIT.is_file():
        report = {
            "base": base,
            "ollama": os.environ.get("SMOKE_OLLAMA", "stand-in"),
            "images": {one.name: one.above_base for one in images},
            "checks": checks(JUNIT),
        }
        REPORT.write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        show(report)
    return code


def checks(junit: Path) -> list[dict[str, Any]]:
    """Return what became of each test: ran, red, or not run and why."""
    found = []
    for case in ET.parse(junit).getroot().iter("testcase"):
        skipped, bad = case.find("skipped"), case.find("failure")
        bad = case.find("error") if bad is None else bad
        state = "ran" if bad is None else "red"
        why = "" if bad is None else str(bad.get("message"))[:200]
        if skipped is not None:
            state, why = "not run", str(skipped.get("message"))
        name = case.get("name", "").removeprefix("test_").replace("_", " ")
        seconds = round(float(case.get("time", "0")), 1)
        found.append({"check": name, "state": state, "seconds": seconds, "why": why})
    return found


def show(report: dict[str, Any]) -> None:
    """Print the report as a table."""
    print(f"\n{'state':8}{'seconds':>8}  check")
    for one in report["checks"]:
        print(f"{one['state']:8}{one['seconds']:8.1f}  {one['check']}")
        if one["why"]:
            print(f"{'':18}{one['why'].splitlines()[0]}")
    print(f"base: {report['base']}; Ollama: {report['ollama']}")
    print(f"The report is {REPORT.relative_to(ROOT)}")


if __name__ == "__main__":
    sys.exit(main())
