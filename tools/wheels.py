"""`make wheels`: a wheel and an sdist of each distribution into dist/."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

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
    environment = {**os.environ, "PYTHONPATH": str(VENV / "build-tools"), **_reproducible()}
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


def _reproducible() -> dict[str, str]:
    """The commit's time as the time of every file, so that two builds are equal bytes."""
    command = ["git", "log", "-1", "--format=%ct"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return {"SOURCE_DATE_EPOCH": done.stdout.strip()} if done.stdout.strip() else {}


if __name__ == "__main__":
    sys.exit(main())
