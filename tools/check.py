"""`make check`: every checker over the whole tree, all of them even when one finds something.

``python -m tools.check NAME ...`` runs some of them.
"""

from __future__ import annotations

import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tools.projects import ROOT

BIN = Path(sys.executable).parent
CHECKERS = {
    "ruff": [str(BIN / "ruff"), "check", "--output-format", "concise", "."],
    "format": [str(BIN / "ruff"), "format", "--check", "--output-format", "concise", "."],
    "mypy": [str(BIN / "mypy")],
    "imports": [sys.executable, "-m", "tools.import_rules"],
    "openapi": [sys.executable, "-m", "tools.openapi", "--check"],
    "engines": [sys.executable, "-m", "tools.engines_page", "--check"],
    "light": [sys.executable, "-m", "tools.light_page", "--check"],
    "profiles": [sys.executable, "-m", "tools.profiles_page", "--check"],
    "platforms": [sys.executable, "-m", "tools.platforms", "--check"],
    "picture": [sys.executable, "-m", "tools.layers_picture", "--check"],
    "codes": [sys.executable, "-m", "tools.codes_page", "--check"],
    "settings": [sys.executable, "-m", "tools.settings_page", "--check"],
    "requirements": [sys.executable, "-m", "tools.requirement_files", "--check"],
    "audit": [sys.executable, "-m", "tools.audit", "--check"],
    "containers": [sys.executable, "-m", "tools.containers.lint"],
    "sdk": [sys.executable, "-m", "tools.sdk_reference", "--check"],
    "house": [sys.executable, "-m", "tools.house"],
}
#: Checkers whose output holds figures to read where all is well.
WITH_FIGURES = ("imports", "house")


def run(name: str) -> tuple[str, int, float, str]:
    """Return name, exit code, seconds and output of one checker."""
    started = time.perf_counter()
    done = subprocess.run(
        CHECKERS[name], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        check=False,
    )  # fmt: skip
    return name, done.returncode, time.perf_counter() - started, done.stdout


def main(names: list[str] | None = None) -> int:
    """Return 1 where a checker found something, 2 for a name that there is none of."""
    if unknown := set(names or ()) - set(CHECKERS):
        print(f"No checker {', '.join(sorted(unknown))}; there are: {', '.join(CHECKERS)}")
        return 2
    with ThreadPoolExecutor(max_workers=2) as pool:
        results = list(pool.map(run, names or CHECKERS))
    for name, code, _, output in results:
        if code:
            print(f"== {name}\n{output.rstrip()}\n")
    for name, code, seconds, output in results:
        print(f"{'red' if code else 'ok':4}{name:14}{seconds:6.1f} s")
        if name in WITH_FIGURES and not code:
            print("".join(f"    {line}\n" for line in output.splitlines()), end="")
    return 1 if any(code for _, code, _, _ in results) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
