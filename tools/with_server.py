"""Run a command beside a real server with the embedded engine and its two models.

``python -m tools.with_server pytest ...`` sets VENOM_E2E_URL, which the browser tests go to. The
models are fetched once into .cache/test-home; the server ends with the command, whatever happens.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from tools.command import quiet
from tools.environment import VENV
from tools.projects import ROOT

HOME = ROOT / ".cache" / "test-home"
LOGS = ROOT / ".cache" / "logs"
MODELS = ("gemma3-270m-base", "smollm2:135m")
VENOM = str(VENV / "bin" / "venom")
START_SECONDS = 60


def main(command: list[str]) -> int:
    with server() as url:
        return subprocess.run(
            command, env={**os.environ, "VENOM_E2E_URL": url}, check=False
        ).returncode


@contextlib.contextmanager
def server(
    home: Path = HOME,
    models: Sequence[str] = MODELS,
    name: str = "serve",
    venom: str = VENOM,
    **env: str,
) -> Iterator[str]:
    """A server's URL; its log is .cache/logs/NAME.log, ``venom`` the command that it runs."""
    environment = _environment(home, env)
    for model in models:
        quiet([venom, "pull", model], cwd=ROOT, log=LOGS / "pull.log", env=environment)
    LOGS.mkdir(parents=True, exist_ok=True)
    log = LOGS / f"{name}.log"
    with log.open("wb") as out:
        child = subprocess.Popen(
            [venom, "serve", "--port", "0"], cwd=ROOT, stdin=subprocess.DEVNULL, stdout=out,
            stderr=subprocess.STDOUT, env=environment,
        )  # fmt: skip
    try:
        yield _url(child, log, home)
    finally:
        child.terminate()
        try:
            child.wait(timeout=30)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def _environment(home: Path, env: Mapping[str, str]) -> dict[str, str]:
    """A data directory of the tests' own, and no Ollama that happens to run on this machine."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("VENOM_")}
    # A plugin may take as long to load as a busy machine needs.
    patient = {"VENOM_PLUGIN_LOAD_TIMEOUT": "60"}
    return {**kept, "VENOM_HOME": str(home), "OLLAMA_HOST": "127.0.0.1:9", **patient, **env}


def _url(child: subprocess.Popen[bytes], log: Path, home: Path) -> str:
    record = home / "run" / "server.json"
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and child.poll() is None:
        with contextlib.suppress(OSError, ValueError):
            found = json.loads(record.read_text(encoding="utf-8"))
            if found["pid"] == child.pid:
                return str(found["url"])
        time.sleep(0.1)
    tail = log.read_text(encoding="utf-8", errors="replace")[-2000:]
    raise SystemExit(f"The server for the tests did not start:\n{tail}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
