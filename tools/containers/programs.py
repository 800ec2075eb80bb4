"""The programs that build and run containers, and whether this machine can run any."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from tools import apart
from tools.command import quiet
from tools.projects import ROOT

CACHE = ROOT / ".cache" / "containers"
LOGS = ROOT / ".cache" / "logs"
#: Program -> the package of Debian and Ubuntu that has it.
PACKAGES = {"buildah": "buildah", "podman": "podman", "runc": "runc"}
PROBE_SECONDS = 60
#: Inside of a virtual machine or another container the defaults of these are more than is allowed.
LIMITS = ("--ulimit", "nofile=20000:20000", "--ulimit", "nproc=1000:1000")


class Missing(Exception):
    """This machine runs no containers; the text names the missing part."""


def ensure_programs(*more: str) -> None:
    """Have the programs, installed from the system's packages where we are root.

    Args:
        more: programs beside those, whose packages are named like them.

    Raises:
        Missing: one is not there and cannot be installed.
    """
    wanted = {**PACKAGES, **{name: name for name in more}}
    absent = [package for name, package in wanted.items() if shutil.which(name) is None]
    if not absent:
        return
    command = f"apt-get install {' '.join(absent)}"
    if os.geteuid() or not shutil.which("apt-get"):
        raise Missing(f"{', '.join(absent)} not found (Debian, Ubuntu: sudo {command})")
    print(f"Installing {', '.join(absent)} ({command})", flush=True)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for number, words in enumerate((["update"], ["install", "--yes", *absent])):
        log = LOGS / f"containers-apt-{number}.log"
        try:
            quiet(["apt-get", *words], cwd=ROOT, log=log, env=environment)
        except SystemExit as failed:
            raise Missing(f"{', '.join(absent)} cannot be installed: {failed}") from failed


def podman_command() -> list[str]:
    """Return podman with the runtime that works where it is nested; crun is its usual one."""
    return ["podman", "--runtime", "runc"]


def probe(image: str) -> None:
    """Start /bin/true in an image.

    Raises:
        Missing: with podman's own words; this machine runs no container.
    """
    command = [*podman_command(), "run", "--rm", "--network", "none", *LIMITS, image, "/bin/true"]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=PROBE_SECONDS, check=False
        )
    except subprocess.TimeoutExpired as late:
        raise Missing(f"a container with /bin/true did not end in {PROBE_SECONDS} s") from late
    if done.returncode:
        said = " ".join(done.stderr.split())[-500:]
        raise Missing(f"podman cannot start /bin/true in a container: {said}")


def tools_environment() -> Path:
    """Return the folder of podman-compose, hadolint and check-jsonschema."""
    say = "Fetching podman-compose, hadolint and check-jsonschema"
    return apart.environment("containers", CACHE / "env", say).parent


def compose_command() -> list[str]:
    """Return podman-compose, with a podman whose containers start on this machine too."""
    wrapper = CACHE / "podman"
    wrapper.parent.mkdir(parents=True, exist_ok=True)
    podman = " ".join([shutil.which("podman") or "podman", *podman_command()[1:]])
    limits = " ".join(LIMITS)
    wrapper.write_text(
        "#!/bin/sh\n"
        f'case "$1" in run|create) verb=$1; shift; exec {podman} "$verb" {limits} "$@";; esac\n'
        f'exec {podman} "$@"\n',
        encoding="utf-8",
    )
    wrapper.chmod(0o755)
    return [str(tools_environment() / "podman-compose"), "--podman-path", str(wrapper)]
