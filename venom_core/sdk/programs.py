"""Programs of other makers that the product uses where they are there: found, and seen to start.

``PATH`` finds more than runs: a version manager (pyenv, asdf, rbenv) keeps a shim for each program
that any of its versions ever had, and it ends with 127 where the present one does not; a script's
interpreter may be gone, a file may be of another processor.
"""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass

#: Tells the memory of NVIDIA's cards.
GPU_PROGRAM = "nvidia-smi"
#: Seconds that a program gets to tell its version; one that takes longer does start.
SECONDS = 3.0
#: What a shell or a shim ends with: found and cannot be run, not found.
NOT_RUN = (126, 127)


@dataclass(frozen=True, slots=True)
class Program:
    """``path`` is where ``PATH`` finds it, None where it does not; ``fault`` says in a few words
    why what is found does not start, None where it does."""

    name: str
    path: str | None
    fault: str | None = None

    @property
    def starts(self) -> bool:
        """Return whether it is there and can be started."""
        return self.path is not None and self.fault is None


def look_for(name: str) -> Program:
    """Look for a program by name and start it with ``--version``. Blocks, up to ``SECONDS``."""
    path = shutil.which(name)
    return Program(name, path, None if path is None else _fault(path))


def _fault(path: str) -> str | None:
    # Imported here: it brings asyncio, and most look for a program that is not there.
    from venom_core.sdk.child_process import child_environment

    try:
        done = subprocess.run(
            [path, "--version"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=child_environment(),
            timeout=SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return None
    except OSError as error:
        return error.strerror or type(error).__name__
    return f"exit code {done.returncode}" if done.returncode in NOT_RUN else None
