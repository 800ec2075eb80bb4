"""Running a step of a build: shown where it fails, quiet where it does not."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

#: How often a command that stalls is started.
TRIES = 3
#: Seconds between two looks at a command that may stall.
LOOK_SECONDS = 0.5


def quiet(
    command: list[str],
    *,
    cwd: Path,
    log: Path,
    env: Mapping[str, str] | None = None,
    silence: float | None = None,
) -> None:
    """Run a command with its output in a log.

    Args:
        silence: seconds without a new line in the log after which it is ended and started again,
            for one that a connection can leave hanging; None waits for as long as it runs.

    Raises:
        SystemExit: it failed, or stalled each time; the end of its log was printed.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    failed = ""
    for _ in range(TRIES):
        code = _run(command, cwd, log, env, silence)
        if code is not None:
            failed = f"exit {code}" if code else ""
            break
        failed = f"nothing new for {silence:g} s, {TRIES} times"
    if failed:
        tail = log.read_text(encoding="utf-8", errors="replace").splitlines()[-30:]
        print("\n".join(tail), file=sys.stderr)
        sys.exit(f"{' '.join(command)}: {failed}; the whole log: {log}")


def _run(
    command: list[str], cwd: Path, log: Path, env: Mapping[str, str] | None, silence: float | None
) -> int | None:
    """Return the exit code; None where the command stalled and was ended with its children."""
    with (
        log.open("wb") as out,
        subprocess.Popen(
            command, cwd=cwd, stdout=out, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
            env=dict(env) if env is not None else None, start_new_session=silence is not None,
        ) as process,
    ):  # fmt: skip
        try:
            return process.wait() if silence is None else _watched(process, log, silence)
        finally:
            if silence is not None and process.poll() is None:  # Ctrl-C reaches us alone
                os.killpg(process.pid, signal.SIGKILL)


def _watched(process: subprocess.Popen[bytes], log: Path, silence: float) -> int | None:
    size, since = 0, time.monotonic()
    while time.monotonic() - since < silence:
        with contextlib.suppress(subprocess.TimeoutExpired):
            return process.wait(timeout=LOOK_SECONDS)
        if (grown := log.stat().st_size) != size:
            size, since = grown, time.monotonic()
    return None
