"""Environments apart from ours, each from a lock of its own in `requirements/`.

An environment is made again when its lock, or this Python, is another one than it was made of.
"""

from __future__ import annotations

import hashlib
import os
import sys
import venv
from pathlib import Path

from tools.command import quiet
from tools.page import LOGS
from tools.projects import ROOT

LOCKS = ROOT / "requirements"


def environment(lock: str, folder: Path, say: str) -> Path:
    """Return the interpreter of an environment that holds exactly what a lock names.

    Args:
        lock: its name, as in `requirements/NAME.txt`.
        say: printed before something is fetched.
    """
    python = folder / "bin" / "python"
    file = LOCKS / f"{lock}.txt"
    if is_stale(folder, file):
        print(say, flush=True)
        venv.create(folder, with_pip=True, clear=True)
        pip = [str(python), "-m", "pip", "install", "--no-input", "--no-compile", "--no-deps"]
        command = [*pip, "--require-hashes", "--requirement", str(file)]
        settings = {**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_USER": "0"}
        quiet(command, cwd=ROOT, log=LOGS / f"{lock}-pip.log", env=settings)
        stamp(folder, file)
    return python


def is_stale(folder: Path, *made_of: Path) -> bool:
    """Return whether a folder was made of other files than these are now, or never."""
    record = folder / ".venom-lock"
    return not record.exists() or record.read_text(encoding="utf-8") != _digest(made_of)


def stamp(folder: Path, *made_of: Path) -> None:
    """Record what a folder was made of."""
    (folder / ".venom-lock").write_text(_digest(made_of), encoding="utf-8")


def _digest(made_of: tuple[Path, ...]) -> str:
    digest = hashlib.sha256(sys.version.encode())
    for file in made_of:
        digest.update(file.read_bytes())
    return digest.hexdigest()
