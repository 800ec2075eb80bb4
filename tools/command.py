"""Running a step of a build: shown where it fails, quiet where it does not."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path


def quiet(
    command: list[str], *, cwd: Path, log: Path, env: Mapping[str, str] | None = None
) -> None:
    """Run a command with its output in a log.

    Raises:
        SystemExit: it failed; the end of its log was printed.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as out:
        done = subprocess.run(
            command, cwd=cwd, stdout=out, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
            check=False, env=dict(env) if env is not None else None,
        )  # fmt: skip
    if done.returncode:
        tail = log.read_text(encoding="utf-8", errors="replace").splitlines()[-30:]
        print("\n".join(tail), file=sys.stderr)
        sys.exit(f"{' '.join(command)}: exit {done.returncode}; the whole log: {log}")
