"""The image that the others stand on: Python's own slim one, or a stand-in where no registry is.

The stand-in is Debian's Python by debootstrap. It is no part of what is released; sizes are given
above the base, since who has the base already fetches no more than that.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tools.command import quiet
from tools.containers.programs import LOGS, Missing, ensure_programs, podman_command
from tools.projects import ROOT

DOCKERFILE = ROOT / "deploy" / "Dockerfile"
STAND_IN = "localhost/venom-stand-in-base"
#: The release of Debian whose Python is the one that the wheels are for.
RELEASES = {(3, 11): "bookworm", (3, 13): "trixie"}
PACKAGES = "python3,python3-venv,ca-certificates"
PULL_SECONDS = 120


def default_base() -> str:
    """Return the base that the Dockerfile names."""
    found = re.search(r"^ARG BASE=(\S+)$", DOCKERFILE.read_text(encoding="utf-8"), re.MULTILINE)
    if found is None:
        raise ValueError("deploy/Dockerfile names no BASE")
    return found[1]


def base_image() -> str:
    """Return the base to build on: BASE of the environment, the Dockerfile's where it is here or
    can be had, else the stand-in, which is made at its first use.

    Raises:
        Missing: there is none, and none can be made.
    """
    if chosen := os.environ.get("BASE"):
        return chosen
    named = default_base()
    if is_here(named) or _pulled(named):
        return named
    tag = f"{STAND_IN}:{_release()}"
    if not is_here(tag):
        print(f"{named} cannot be had: making {tag} with debootstrap, once", flush=True)
        _make(tag)
    return tag


def is_here(image: str) -> bool:
    """Return whether the image is on this machine."""
    command = [*podman_command(), "image", "exists", image]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def _pulled(image: str) -> bool:
    command = [*podman_command(), "pull", "--quiet", image]
    try:
        done = subprocess.run(command, capture_output=True, timeout=PULL_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


def _release() -> str:
    try:
        return RELEASES[sys.version_info[:2]]
    except KeyError:
        version = ".".join(map(str, sys.version_info[:2]))
        raise Missing(
            f"no Debian has Python {version}; name an image that has it: make images BASE=..."
        ) from None


def _make(tag: str) -> None:
    ensure_programs("debootstrap")
    if os.geteuid():
        raise Missing("debootstrap needs root; name a base image instead: make images BASE=...")
    with tempfile.TemporaryDirectory(prefix="venom-base-") as name:
        root = Path(name) / "root"
        command = ["debootstrap", "--variant=minbase", f"--include={PACKAGES}", _release()]
        try:
            quiet([*command, str(root)], cwd=ROOT, log=LOGS / "debootstrap.log")
        except SystemExit as failed:
            raise Missing(f"debootstrap could not make a base: {failed}") from failed
        for folder in ("var/cache/apt", "var/lib/apt/lists"):
            shutil.rmtree(root / folder)
            (root / folder / ("archives" if "cache" in folder else ".") / "partial").mkdir(
                parents=True
            )
        tar = Path(name) / "base.tar"
        quiet(["tar", "-C", str(root), "-cf", str(tar), "."], cwd=ROOT, log=LOGS / "base-tar.log")
        quiet([*podman_command(), "import", str(tar), tag], cwd=ROOT, log=LOGS / "base-import.log")
