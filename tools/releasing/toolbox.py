"""The tools of a release: programs of others, in an environment apart, from a lock of their own."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from tools.apart import environment, is_stale
from tools.projects import ROOT
from tools.releasing.release import NotRun

FOLDER = ROOT / ".cache" / "release"
LOCK = "release"


def toolbox() -> Path:
    """Return the folder of the tools' programs, made where it is missing or of another lock."""
    say = "Fetching the tools of a release (exact versions, hashes checked)"
    return environment(LOCK, FOLDER, say).parent


def present() -> Path:
    """Return the folder of the tools' programs without fetching anything.

    Raises:
        NotRun: they are not there.
    """
    if is_stale(FOLDER, ROOT / "requirements" / f"{LOCK}.txt"):
        raise NotRun("the tools of a release are not there: make release")
    return FOLDER / "bin"


def ask(
    command: list[str], *, cwd: Path = ROOT, epoch: str | None = None
) -> subprocess.CompletedProcess[str]:
    """Run one of them and return what it said, whatever its exit code."""
    settings = {**os.environ, **({"SOURCE_DATE_EPOCH": epoch} if epoch else {})}
    settings.pop("PYTHONPATH", None)
    return subprocess.run(
        command, cwd=cwd, env=settings, stdin=subprocess.DEVNULL, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
