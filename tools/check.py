"""`make check`: every checker over the whole tree, all of them even when one finds something."""

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
    "imports": [str(BIN / "lint-imports"), "--cache-dir", ".cache/import_linter"],
    "house": [sys.executable, "-m", "tools.house"],
}


def run(name: str) -> tuple[str, int, float, str]:
    """Name, exit code, seconds and output of one checker."""
    started = time.perf_counter()
    done = subprocess.run(
        CHECKERS[name], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        check=False,
    )  # fmt: skip
    return name, done.returncode, time.perf_counter() - started, done.stdout


def main() -> int:
    with ThreadPoolExecutor(max_workers=2) as pool:
        results = list(pool.map(run, CHECKERS))
    for name, code, _, output in results:
        if code:
            print(f"== {name}\n{output.rstrip()}\n")
    for name, code, seconds, _ in results:
        print(f"{'red' if code else 'ok':4}{name:12}{seconds:6.1f} s")
    return 1 if any(code for _, code, _, _ in results) else 0


if __name__ == "__main__":
    sys.exit(main())
