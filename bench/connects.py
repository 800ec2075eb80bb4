"""A light server in use under ``strace``: whom does it connect to?

A fake Ollama on loopback answers. For five minutes a client does what a person and a program do:
the page, listings, chats, streams, embeddings, conversations, metrics, what fails. Every
``connect`` of the server and of its children is read, questions to a name server among them.
``VENOM_CONNECTS_SECONDS`` asks for another time.
"""

from __future__ import annotations

import ipaddress
import os
import re
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import httpx

from bench.processes import free_port, serving
from bench.report import Figure, Goal, Report
from bench.subjects import VENOM
from venom_core.testing.ollama.process import FakeOllama

SECONDS = 300.0
QUICK_SECONDS = 20.0
PAUSE = 0.5
#: What a page, a probe and a scrape ask for.
LOOKED_AT = (
    "/", "/docs/index", "/healthz", "/readyz", "/metrics", "/openapi.json", "/api/v1/plugins",
    "/api/v1/overview", "/api/v1/system/services", "/api/v1/runtime/status",
    "/api/v1/models", "/api/v1/models/loaded", "/api/v1/models/usage", "/api/v1/models/providers",
    "/api/v1/models/operations", "/api/v1/usage/summary", "/api/v1/audit", "/api/v1/sessions",
)  # fmt: skip
_ADDRESS = re.compile(r'inet_(?:addr\(|pton\(AF_INET6, )"([^"]+)"')
_PORT = re.compile(r"sin6?_port=htons\((\d+)\)")


def run(*, quick: bool = False) -> Report:
    report = Report("connects", rounds=1)
    strace = shutil.which("strace")
    if strace is None:
        report.skipped = "strace is not installed"
        return report
    seconds = QUICK_SECONDS if quick else float(os.environ.get("VENOM_CONNECTS_SECONDS", SECONDS))
    with (
        FakeOllama(scenarios=("any_chat",)) as ollama,
        tempfile.TemporaryDirectory(prefix="venom-connects-") as folder,
    ):
        trace = Path(folder) / "trace"
        answers = used(strace, trace, Path(folder), ollama.url, seconds)
        connects = Counter(connected(trace.read_text(errors="replace")))
    elsewhere = {where: count for where, count in connects.items() if not is_here(where)}
    report.figures = [
        Figure("seconds in use", "s", [seconds]),
        Figure("requests", "", [float(sum(answers.values()))]),
        Figure("connects to loopback", "", [float(connects.total() - sum(elsewhere.values()))]),
        Figure(
            "connects elsewhere", "", [float(sum(elsewhere.values()))], goals=(Goal("value", 0),)
        ),
    ]
    ours = {f"127.0.0.1:{httpx.URL(ollama.url).port}": "the fake Ollama"}
    report.extra = {
        "connects": {ours.get(where, where): count for where, count in sorted(connects.items())},
        "answers": dict(sorted(answers.items())),
    }
    return report


def used(strace: str, trace: Path, home: Path, ollama: str, seconds: float) -> Counter[str]:
    """Use a server for so long; return how often it answered how."""
    port = free_port()
    watched = [strace, "-f", "-qq", "-e", "trace=connect", "-e", "signal=none", "-o", str(trace)]
    argv = [*watched, *VENOM, "serve", "--host", "127.0.0.1", "--port", str(port)]
    env = {"VENOM_HOME": str(home / "home"), "VENOM_PLUGINS": "ollama", "OLLAMA_HOST": ollama}
    answers: Counter[str] = Counter()
    with (
        serving(argv, port, home / "serve.log", env),
        httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60, trust_env=False) as client,
    ):
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            for answer in one_round(client):
                answers[f"{answer.request.method} {answer.url.path} {answer.status_code}"] += 1
            time.sleep(PAUSE)
    return answers


def one_round(client: httpx.Client) -> Iterator[httpx.Response]:
    """Do what people and programs do; yield each answer."""
    for path in LOOKED_AT:
        yield client.get(path)
    listing = client.get("/v1/models")
    yield listing
    chat = {"messages": [{"role": "user", "content": "hi"}]}
    for model in listing.json()["data"][:3]:
        name = model["id"]
        yield client.post("/v1/chat/completions", json={**chat, "model": name})
        yield client.post("/v1/chat/completions", json={**chat, "model": name, "stream": True})
        yield client.post("/v1/embeddings", json={"model": name, "input": "a cat"})
        yield client.post("/api/v1/llm/simple/stream", json={"content": "hi", "model": name})
    yield client.post("/v1/chat/completions", json={**chat, "model": "nobody"})


def connected(trace: str) -> Iterator[str]:
    """Yield the address of each ``connect`` in a trace: ``host:port``, or the path of a socket."""
    for line in trace.splitlines():
        if "connect(" not in line or "sa_family" not in line:
            continue
        address, port = _ADDRESS.search(line), _PORT.search(line)
        if address is not None:
            host = address[1] if ":" not in address[1] else f"[{address[1]}]"
            yield f"{host}:{port[1] if port else '?'}"
        else:
            path = re.search(r"sun_path=@?\"([^\"]*)\"", line)
            yield f"unix:{path[1]}" if path else line.partition("connect(")[2]


def is_here(where: str) -> bool:
    """Return whether an address is this machine: loopback, or a socket in its file system."""
    if where.startswith("unix:"):
        return True
    try:
        return ipaddress.ip_address(where.rpartition(":")[0].strip("[]")).is_loopback
    except ValueError:
        return False
