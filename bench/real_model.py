"""``venom serve`` with the real Gemma 3 behind it, for the benchmarks that need its answers."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from bench.processes import ROOT, Server
from bench.subjects import VENOM, venom

GEMMA = "gemma3-270m-base"
DEMONSTRATIONS = (GEMMA, "smollm2:135m")


def models_folder(model: str = GEMMA) -> Path:
    """The model store that tests share (``VENOM_TEST_HOME``), with a built-in model in it. A larger
    one has a store of its own beside it: tests count on what is installed in the first."""
    home = Path(os.environ.get("VENOM_TEST_HOME") or ROOT / ".cache" / "test-home")
    if model not in DEMONSTRATIONS:
        home = home.with_name(f"{home.name}-large")
    if not any((home / "models").rglob(f"{model.replace(':', '--')}*.gguf")):
        command(home, "pull", f"llamacpp://{model}")
    return home / "models"


def command(home: Path, *arguments: str, env: Mapping[str, str] | None = None) -> None:
    """Run a command of Venom's on a data directory to its end, with what it says where it fails.

    Raises ``RuntimeError`` where it fails.
    """
    clean = {name: value for name, value in os.environ.items() if not name.startswith("VENOM_")}
    done = subprocess.run(
        [*VENOM, *arguments],
        cwd=ROOT,
        env={**clean, "VENOM_HOME": str(home), **(env or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=1800,
        check=False,
    )
    if done.returncode:
        sys.stderr.write(done.stderr)
        raise RuntimeError(f"venom {' '.join(arguments)} failed with {done.returncode}")


@contextlib.contextmanager
def serving_gemma() -> Iterator[Server]:
    """A server with a data directory of its own over the shared models."""
    with serving(models_folder()) as server:
        yield server


@contextlib.contextmanager
def serving(*stores: Path, env: Mapping[str, str] | None = None) -> Iterator[Server]:
    """A server with a data directory of its own over model stores; of those that hold the same
    provider's models the first is served."""
    with tempfile.TemporaryDirectory(prefix="venom-bench-") as folder:
        home = Path(folder)
        (home / "models").mkdir()
        for store in [one for models in stores for one in sorted(models.iterdir())]:
            link = home / "models" / store.name
            if store.is_dir() and not link.is_symlink():
                link.symlink_to(store, target_is_directory=True)
        # What is measured is asked for: no model is loaded unasked beside it.
        with venom(home, env={"LLM_WARMUP_ON_STARTUP": "false", **(env or {})}) as server:
            yield server
