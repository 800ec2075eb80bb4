"""``venom serve`` with the real Gemma 3 behind it, for the benchmarks that need its answers."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from bench.processes import ROOT, Server
from bench.subjects import VENOM, venom

GEMMA = "gemma3-270m-base"


def models_folder() -> Path:
    """The model store that tests share (``VENOM_TEST_HOME``), with Gemma in it."""
    home = Path(os.environ.get("VENOM_TEST_HOME") or ROOT / ".cache" / "test-home")
    if any((home / "models").rglob(f"{GEMMA}*.gguf")):
        return home / "models"
    done = subprocess.run(
        [*VENOM, "pull", f"llamacpp://{GEMMA}"],
        cwd=ROOT,
        env={**os.environ, "VENOM_HOME": str(home)},
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    if done.returncode:
        sys.stderr.write(done.stderr)
        raise RuntimeError(f"{GEMMA} could not be fetched")
    return home / "models"


@contextlib.contextmanager
def serving_gemma() -> Iterator[Server]:
    """A server with a data directory of its own over the shared models."""
    models = models_folder()
    with tempfile.TemporaryDirectory(prefix="venom-bench-") as folder:
        home = Path(folder)
        (home / "models").symlink_to(models, target_is_directory=True)
        with venom(home) as server:
            yield server
