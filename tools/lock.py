"""`make lock`: write requirements/*.txt, exact versions with hashes, one resolution for all.

Each lock is constrained by the one before, so that a package has one version everywhere; those of
environments apart are not. Versions move only when asked: ``python -m tools.lock --upgrade``;
``python -m tools.lock clients`` writes one that stands apart, and no other. The size of what each
lock fetches on this machine goes to requirements/sizes.json, for the line that `make run` prints
before it fetches.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path

from tools.projects import APART, LOCKS, ROOT, direct_requirements

RESOLVER = "uv>=0.9"
FOLDER = ROOT / "requirements"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--upgrade", action="store_true", help="take the newest versions")
    parser.add_argument("only", nargs="?", choices=APART, help="one of an environment apart")
    options = parser.parse_args()
    solver = resolver()
    for lock in [options.only] if options.only else APART:
        _compile(solver, lock, FOLDER / f"{lock}.txt", constraint=None, upgrade=options.upgrade)
    if options.only:
        return 0
    previous: Path | None = None
    for lock in LOCKS:
        target = FOLDER / f"{lock}.txt"
        _compile(solver, lock, target, constraint=previous, upgrade=options.upgrade)
        print(f"requirements/{lock}.txt: {target.read_text(encoding='utf-8').count('==')} packages")
        previous = target
    sizes = {lock: _fetched_size(FOLDER / f"{lock}.txt") for lock in LOCKS}
    record = {"measured_on": f"{platform.system()} {platform.machine()}", "locks": sizes}
    (FOLDER / "sizes.json").write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    return 0


def resolver() -> list[str]:
    """The resolver lives beside the environment, not in it: users and CI never need it."""
    home = ROOT / ".cache" / "resolver"
    if not (home / "uv").is_dir():
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--target", str(home), RESOLVER]
        subprocess.run(pip, check=True)
    return [str(home / "bin" / "uv")]


def _compile(
    solver: list[str], lock: str, target: Path, *, constraint: Path | None, upgrade: bool
) -> None:
    wanted = "\n".join(str(requirement) for requirement in direct_requirements(ROOT, lock))
    command = [
        *solver, "pip", "compile", "-", "--quiet", "--universal", "--python-version", "3.11",
        "--generate-hashes", "--no-annotate", "--no-header", "--output-file", str(target),
    ]  # fmt: skip
    if constraint is not None:
        command += ["--constraint", str(constraint)]
    if upgrade:
        command.append("--upgrade")
    subprocess.run(command, input=wanted, text=True, check=True, cwd=ROOT)


def _fetched_size(lock: Path) -> dict[str, float]:
    """Return the number of wheels a lock fetches here, and their megabytes (10^6 bytes)."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
        command += ["--require-hashes", "--dest", folder, "--requirement", str(lock)]
        subprocess.run(command, check=True, env={**os.environ, "PIP_FIND_LINKS": ""})
        files = list(Path(folder).iterdir())
        total = sum(file.stat().st_size for file in files)
    return {"distributions": len(files), "megabytes": round(total / 1e6, 1)}


if __name__ == "__main__":
    sys.exit(main())
