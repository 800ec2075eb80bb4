"""`make wheels`: a wheel and an sdist of each distribution into dist/."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tools.command import quiet
from tools.environment import VENV
from tools.plugins import folders
from tools.projects import ROOT, declared_version

DIST = ROOT / "dist"


def main() -> int:
    if not (ROOT / "venom_core" / "ui" / "static" / "index.html").is_file():
        print("The page is not built, so the wheel will hold none (`make ui`).", file=sys.stderr)
    shutil.rmtree(DIST, ignore_errors=True)
    DIST.mkdir()
    environment = {**os.environ, "PYTHONPATH": str(VENV / "build-tools")}
    if moment := epoch(ROOT):
        environment["SOURCE_DATE_EPOCH"] = moment
    build = [sys.executable, "-m", "hatchling", "build", "-d", str(DIST)]
    projects = [ROOT, *folders(ROOT)]
    for folder in projects:
        log = ROOT / ".cache" / "logs" / f"wheel-{folder.name}.log"
        quiet(build, cwd=folder, log=log, env=environment)
    made = sorted(path for path in DIST.iterdir() if path.is_file())
    for path in made:
        print(f"dist/{path.name}  {path.stat().st_size / 1e3:.0f} kB")
    expected = 2 * len(projects)
    if len(made) != expected or not all(f"-{declared_version()}" in path.name for path in made):
        sys.exit(f"dist/ should hold {expected} files of version {declared_version()}")
    return 0


def epoch(root: Path) -> str:
    """Return the time of every file that is built: what SOURCE_DATE_EPOCH says, else the commit's,
    so that two builds are equal bytes; empty where nobody says."""
    if given := os.environ.get("SOURCE_DATE_EPOCH"):
        return given
    command = ["git", "log", "-1", "--format=%ct"]
    return subprocess.run(
        command, cwd=root, capture_output=True, text=True, check=False
    ).stdout.strip()


if __name__ == "__main__":
    sys.exit(main())
