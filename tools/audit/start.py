"""A recorded start: every import of a real `venom serve`, dynamic ones too."""

from __future__ import annotations

import importlib.util
import json
import re
import sys
import tempfile
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from tools.with_server import LOGS, server

#: Python runs it before anything else; what a child process imports is not the server's.
_RECORDER = """
import os, sys

_out = open(os.environ["IMPORT_RECORD"], "a", buffering=1)

def _record(event, arguments):
    if event != "import":
        return
    try:
        frame = sys._getframe(1)
    except ValueError:  # Python's own, before any code
        frame = None
    while frame is not None and frame.f_globals.get("__name__", "").startswith("importlib"):
        frame = frame.f_back
    importer = frame.f_globals.get("__name__", "") if frame is not None else ""
    _out.write(f"{os.getpid()} {arguments[0]} {importer}\\n")

sys.addaudithook(_record)
"""
_CLOCK = re.compile(r"import time:\s+(?P<own>\d+) \|\s+\d+ \|\s+(?P<name>\S+)")
#: What a person's first look at the page asks; the last of them needs the store.
ASKED = ("/healthz", "/", "/api/v1/overview", "/v1/models", "/api/v1/sessions")
SECONDS = 60
#: Of the environment that this runs in, which may be another checkout's.
_VENOM = str(Path(sys.executable).with_name("venom"))


@dataclass(frozen=True, slots=True)
class Recorded:
    """The modules of a start: ``importers`` says who asked for each, where somebody did."""

    importers: dict[str, str]

    @property
    def modules(self) -> set[str]:
        return set(self.importers)

    @property
    def packages(self) -> set[str]:
        """Top-level names that were imported and are there."""
        tops = {name.split(".")[0] for name in self.importers}
        return {name for name in tops if _there(name)}


def record() -> Recorded:
    """Start a server with every plugin of this environment, ask it for the first page, end it.

    Raises:
        SystemExit: it did not start; its log is in the message.
    """
    with tempfile.TemporaryDirectory(prefix="venom-audit-") as name:
        folder = Path(name)
        (folder / "sitecustomize.py").write_text(_RECORDER, encoding="utf-8")
        log = folder / "imports"
        env = {"PYTHONPATH": str(folder), "IMPORT_RECORD": str(log)}
        env["LLM_WARMUP_ON_STARTUP"] = "false"
        with server(folder / "home", (), "audit", _VENOM, **env) as url:
            for path in ASKED:
                _ask(url + path)
        lines = [line.split(" ") for line in log.read_text(encoding="utf-8").splitlines()]
    pid = lines[0][0]
    importers: dict[str, str] = {}
    for of, module, importer in lines:
        if of == pid:
            importers.setdefault(module, importer)
    return Recorded(importers)


def clocked() -> dict[str, float]:
    """Return the milliseconds of each top-level name's own imports in such a start."""
    log = LOGS / "audit.log"
    with tempfile.TemporaryDirectory(prefix="venom-audit-") as name:
        env = {"PYTHONPROFILEIMPORTTIME": "1", "LLM_WARMUP_ON_STARTUP": "false"}
        with server(Path(name) / "home", (), log.stem, _VENOM, **env) as url:
            for path in ASKED:
                _ask(url + path)
    spent: dict[str, float] = {}
    for line in log.read_text(encoding="utf-8", errors="replace").splitlines():
        if found := _CLOCK.fullmatch(line):
            top = found["name"].split(".")[0]
            spent[top] = spent.get(top, 0.0) + int(found["own"]) / 1000
    return spent


def _ask(url: str) -> None:
    with urllib.request.urlopen(url, timeout=SECONDS) as answer:
        body = answer.read()
    if "/api/" in url:
        json.loads(body)


def _there(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except (ImportError, ValueError):
        return False
