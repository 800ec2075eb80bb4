"""The environment of a checkout: .venv, filled from a lock, with our distributions editable.

The standard library only. A stamp of everything the environment is made from makes the second time
free; whatever is interrupted before the stamp is written is made good by the next run.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import importlib.util
import json
import os
import platform
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tools import plugins
from venom_core.sdk.machine import container_memory, usable_cores

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
STAMPS = VENV / "venom-stamps.json"
LOG = ROOT / ".cache" / "install.log"
WHAT = "venom[embedded] = light (Ollama plugin) + llama.cpp engine"
# The lock that holds everything of another one.
HOLDS = {"embedded": ("embedded", "dev"), "dev": ("dev",)}


class Failed(Exception):
    """A step that cannot go on; the text says what to do."""


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="tools/bootstrap.py", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="make the environment and start Venom in it")
    run.add_argument("--once", action="store_true", help="exit after the first answer")
    commands.add_parser("dev", help="make the environment with what checks and tests need")
    options = parser.parse_args(arguments)
    try:
        if options.command == "dev":
            ensure("dev")
            return 0
        print(headline(), flush=True)
        started = time.monotonic()
        stamp = ensure("embedded")
        packages(stamp, time.monotonic() - started)
        return hand_over(["quickstart", "--once"] if options.once else ["quickstart"])
    except Failed as problem:
        print(problem, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped. The next `make run` goes on where this one ended.", file=sys.stderr)
        return 130


def headline() -> str:
    """The first line: what this is and what it runs on."""
    text = (ROOT / "venom_core" / "_version.py").read_text(encoding="utf-8")
    version = text.split('__version__ = "')[1].split('"')[0]
    machine = f"{platform.system()} {platform.machine()}"
    cores = f"{usable_cores()} cores{_memory()}"
    return f"Venom {version} · Python {platform.python_version()} · {machine} · {cores}"


def _memory() -> str:
    for name, word in (("SC_AVPHYS_PAGES", "free"), ("SC_PHYS_PAGES", "memory")):
        with contextlib.suppress(ValueError, OSError, AttributeError):
            pages = os.sysconf(name)
            if word == "free":
                pages = max(pages, _available_pages())
            size = pages * os.sysconf("SC_PAGE_SIZE")
            for limit, left in container_memory():
                size = min(size, left if word == "free" else limit)
            return f", {size / 1e9:.0f} GB {word}"
    return ""


def _available_pages() -> int:
    """Linux counts caches as used in SC_AVPHYS_PAGES; MemAvailable is what a program can have."""
    with contextlib.suppress(OSError, StopIteration):
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        line = next(line for line in lines if line.startswith("MemAvailable:"))
        return int(line.split()[1]) * 1024 // os.sysconf("SC_PAGE_SIZE")
    return 0


def packages(stamp: dict[str, Any], seconds: float) -> None:
    """The line of the finished first step."""
    amount = f"{stamp['distributions']} packages, {stamp['megabytes']:.0f} MB"
    spent = f"{seconds:.0f} s" if stamp["fresh"] else "already there"
    print(f"[1/4] Packages   {WHAT}     {amount}   {spent}", flush=True)


def hand_over(arguments: list[str]) -> int:
    """Become `venom`: one process, so that Ctrl-C and the exit code are its own."""
    command = [str(_bin("venom")), *arguments]
    sys.stdout.flush()
    if os.name == "posix":
        os.execv(command[0], command)  # does not return
    return subprocess.run(command, check=False).returncode


def ensure(lock: str) -> dict[str, Any]:
    """Make `.venv` hold a lock and our distributions.

    Returns:
        The stamp: distributions, megabytes (10^6 bytes, without bytecode), and `fresh`, which is
        False where nothing had to be done.

    Raises:
        Failed: with a sentence that says what to do.
    """
    with _alone():
        stamps = _stamps()
        for holder in HOLDS[lock]:
            if stamps.get(holder, {}).get("digest") == digest(holder):
                return {**stamps[holder], "fresh": False}
        if not stamps:
            _make_venv()
        _install(lock)
        distributions, size = measure()
        stamp = {"digest": digest(lock), "distributions": distributions, "megabytes": size / 1e6}
        # What another lock left behind is not what it said any more.
        STAMPS.write_text(json.dumps({"made_for": _made_for(), lock: stamp}), encoding="utf-8")
        return {**stamp, "fresh": True}


def digest(lock: str) -> str:
    """Everything that the environment is made from: change one of them and it is made again."""
    names = [f"requirements/{lock}.txt", "requirements/build.txt", "venom_core/_version.py"]
    files = [ROOT / name for name in names]
    files += [folder / "pyproject.toml" for folder in (ROOT, *plugins.folders(ROOT))]
    whole = hashlib.sha256()
    for file in files:
        whole.update(file.read_bytes())
    return whole.hexdigest()


def projects(lock: str) -> list[Path]:
    """Return the folders of our distributions that go with a lock: the core, and each plugin that
    needs nothing which the lock does not hold; with the checks and tests, all of them."""
    if lock == "dev":
        return [ROOT, *plugins.folders(ROOT)]
    text = (ROOT / "requirements" / f"{lock}.txt").read_text(encoding="utf-8")
    locked = {plugins.normalized(name) for name in re.findall(r"^([\w.-]+)", text, re.MULTILINE)}
    return [ROOT, *plugins.satisfied_by(ROOT, locked)]


def _stamps() -> dict[str, Any]:
    """Return what is installed; nothing where the environment is missing or of another place."""
    try:
        found: dict[str, Any] = json.loads(STAMPS.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if found.get("made_for") == _made_for() and _bin("python").exists() else {}


def _made_for() -> list[str]:
    """An environment's scripts name its interpreter and its place: in another it is made anew."""
    return [sys.version, str(ROOT)]


def _make_venv() -> None:
    missing = [name for name in ("venv", "ensurepip") if importlib.util.find_spec(name) is None]
    if missing:
        version = ".".join(platform.python_version_tuple()[:2])
        raise Failed(
            f"This Python {version} comes without {' and '.join(missing)}, so it can make no"
            f" environment.\nDebian, Ubuntu: sudo apt install python{version}-venv, then: make run"
        )
    _call([sys.executable, "-m", "venv", "--clear", str(VENV)], "The environment was not made")


def _install(lock: str) -> None:
    sizes = json.loads((ROOT / "requirements" / "sizes.json").read_text(encoding="utf-8"))
    fetched = sizes["locks"][lock]
    print(
        f"Fetching {fetched['distributions']} packages, about {fetched['megabytes']:.0f} MB, into"
        " .venv (exact versions, hashes checked)",
        flush=True,
    )
    # Bytecode is made of what is imported, when it is: compiling all takes longer than fetching it.
    pip = [str(_bin("python")), "-m", "pip", "install", "--no-input", "--no-compile"]
    tools = VENV / "build-tools"
    offline = "The packages could not be installed; is there a network?"
    locked = [*pip, "--require-hashes", "--no-deps", "--requirement"]
    with _signs_of_life():
        _call([*locked, str(ROOT / "requirements" / f"{lock}.txt")], offline)
        # The build tools stay outside: what is in the environment is what a user has.
        into = ["--upgrade", "--target", str(tools)]
        _call([*locked, str(ROOT / "requirements" / "build.txt"), *into], offline)
        editable = [word for folder in projects(lock) for word in ("--editable", str(folder))]
        own = [*pip, "--no-deps", "--no-build-isolation", *editable]
        _call(own, "Venom itself could not be installed", PYTHONPATH=str(tools))


def _call(command: list[str], sentence: str, **extra: str) -> None:
    """Run a step into the log; its last lines are shown where it fails."""
    environment = {**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_USER": "0"}
    environment.pop("PYTHONPATH", None)
    LOG.parent.mkdir(exist_ok=True)
    with LOG.open("ab") as log:
        child = subprocess.Popen(
            command, cwd=ROOT, stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
            env={**environment, **extra},
        )  # fmt: skip
        try:
            code = child.wait()
        except BaseException:
            child.terminate()
            child.wait(timeout=30)
            raise
    if code:
        lines = LOG.read_text(encoding="utf-8", errors="replace").splitlines()
        tail = "\n".join(f"  {line}" for line in lines[-12:] if not line.startswith("WARNING: Loc"))
        raise Failed(f"{sentence} (exit {code}). The end of {LOG.relative_to(ROOT)}:\n{tail}")


@contextlib.contextmanager
def _signs_of_life() -> Iterator[None]:
    """A running count of seconds on a terminal; elsewhere nothing, so that logs stay plain."""
    if not sys.stdout.isatty():
        yield
        return
    done = threading.Event()

    def count() -> None:
        started = time.monotonic()
        while not done.wait(1):
            print(f"\r  {time.monotonic() - started:.0f} s ", end="", flush=True)
        print("\r\x1b[K", end="", flush=True)

    counter = threading.Thread(target=count, daemon=True)
    counter.start()
    try:
        yield
    finally:
        done.set()
        counter.join()


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """Two commands at once would write one environment: the second waits for the first."""
    if os.name != "posix":
        yield
        return
    import fcntl

    folder = ROOT / ".cache"
    folder.mkdir(exist_ok=True)
    with (folder / "bootstrap.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("Waiting for another command that is making .venv", flush=True)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def measure() -> tuple[int, int]:
    """Distributions in `.venv` beside pip's own, and their bytes without bytecode."""
    tools = ("pip", "setuptools", "pkg_resources", "_distutils_hack", "wheel")
    posix = sorted(VENV.glob("lib/python3*/site-packages"))
    packages_folder = posix[0] if posix else VENV / "Lib" / "site-packages"
    names = {path.name.split("-")[0] for path in packages_folder.glob("*.dist-info")}
    size = 0
    for folder, folders, files in os.walk(packages_folder):
        folders[:] = [name for name in folders if name != "__pycache__"]
        if Path(folder) == packages_folder:
            folders[:] = [name for name in folders if name.split("-")[0] not in tools]
        size += sum((Path(folder) / name).stat().st_size for name in files)
    return len(names - set(tools)), size


def _bin(name: str) -> Path:
    return VENV / ("bin" if os.name == "posix" else "Scripts") / name
