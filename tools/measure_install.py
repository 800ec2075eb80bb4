"""The size of an install: each set from the wheelhouse into a fresh environment, without an index.

bench/install.py reports the figures, tests/install asserts the budgets on them.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
import venv
from dataclasses import dataclass, field
from pathlib import Path

from tools.wheelhouse import WHEELHOUSE

SETS = {"core": "venom", "light": "venom[light]", "embedded": "venom[embedded]"}


@dataclass(slots=True)
class Installed:
    """One fresh environment.

    Args:
        names: its distributions, ours among them; the environment's own pip is not there.
        megabytes: 10^6 bytes of its packages, without bytecode.
        seconds: the install alone, the wheels on this disk.
    """

    requirement: str
    distributions: int
    megabytes: float
    seconds: float
    names: list[str] = field(default_factory=list)


def install(requirement: str, folder: Path, *, with_pip: bool = False) -> Installed:
    """Install into a new environment at a folder, from the wheelhouse alone.

    Args:
        with_pip: the environment gets a pip of its own, as a user's has; it is counted then.

    Raises:
        SystemExit: there is no wheelhouse, or pip failed; the sentence says which.
    """
    if not any(WHEELHOUSE.glob("venom-*.whl")):
        raise SystemExit("dist/wheelhouse is empty: run `make wheelhouse`")
    venv.create(folder, with_pip=with_pip, clear=True)
    started = time.monotonic()
    command = [sys.executable, "-m", "pip", "--python", str(python_of(folder)), "install"]
    command += ["--quiet", "--no-index", "--find-links", str(WHEELHOUSE), "--no-compile"]
    done = subprocess.run(
        [*command, requirement], env=bare_environment(), capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"pip install {requirement}: {done.stderr[-2000:]}")
    seconds = time.monotonic() - started
    packages = next(folder.glob("[Ll]ib/**/site-packages"))
    names = sorted(path.name.split("-")[0] for path in packages.glob("*.dist-info"))
    size = round(megabytes(packages), 1)
    return Installed(requirement, len(names), size, round(seconds, 1), names)


def megabytes(folder: Path) -> float:
    """Return the 10^6 bytes of the files below a folder, without bytecode; links do not count."""
    files = (
        Path(place) / name
        for place, _, names in os.walk(folder)
        for name in names
        if not name.endswith(".pyc")
    )
    return sum(file.lstat().st_size for file in files if not file.is_symlink()) / 1e6


def python_of(folder: Path) -> Path:
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def bare_environment() -> dict[str, str]:
    """No index, no configuration of pip's, no path of ours."""
    dropped = ("PIP_", "PYTHON", "VENOM_", "OLLAMA_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(dropped)}
    return {**kept, "PIP_CONFIG_FILE": os.devnull, "PIP_NO_INDEX": "1"}
