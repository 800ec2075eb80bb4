"""The subject (``venom serve``), the upstream and the baselines beside it, as commands."""

from __future__ import annotations

import contextlib
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from bench.processes import Server, free_port, serving
from bench.servers.upstream import MODEL

#: More than any load here; the default bounds what one local engine generates at a time.
CONCURRENCY = "256"


#: The command as this checkout has it, wherever the environment's own ``venom`` may point.
VENOM = (sys.executable, "-m", "venom_core.cli.main")


def venom_env(home: Path, upstream_port: int | None = None) -> dict[str, str]:
    """A data directory of its own; where an upstream is given, the provider ``remote`` over it.

    ``OLLAMA_HOST`` points at a closed port: what a machine happens to run is no part of a figure.
    """
    env = {
        "VENOM_HOME": str(home),
        "VENOM_MAX_CONCURRENT": CONCURRENCY,
        "OLLAMA_HOST": "127.0.0.1:9",
    }
    if upstream_port is not None:
        env["VENOM_REMOTE__URLS"] = f"http://127.0.0.1:{upstream_port}"
    return env


@contextlib.contextmanager
def venom(
    home: Path, upstream_port: int | None = None, env: Mapping[str, str] | None = None
) -> Iterator[Server]:
    port = free_port()
    whole = {**venom_env(home, upstream_port), **(env or {})}
    argv = [*VENOM, "serve", "--host", "127.0.0.1", "--port", str(port)]
    with serving(argv, port, home / "bench-serve.log", whole) as server:
        yield server


@contextlib.contextmanager
def module(name: str, home: Path, *arguments: str) -> Iterator[Server]:
    """One of ``bench.servers`` on a free port."""
    port = free_port()
    argv = [sys.executable, "-m", f"bench.servers.{name}", *arguments, "--port", str(port)]
    log = home / f"bench-{'-'.join((name, *arguments[:1]))}.log"
    with serving(argv, port, log) as server:
        yield server


@contextlib.contextmanager
def gateway_and_baselines(kinds: Sequence[str]) -> Iterator[dict[str, Server]]:
    """The upstream as ``direct``, ``venom`` over it, and bare relays of ``kinds``."""
    with contextlib.ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="venom-bench-")))
        upstream = stack.enter_context(module("upstream", home))
        url = f"http://127.0.0.1:{upstream.port}"
        servers = {"direct": upstream, "venom": stack.enter_context(venom(home, upstream.port))}
        for kind in kinds:
            servers[kind] = stack.enter_context(module("relays", home, kind, "--upstream", url))
        yield servers


#: The body of every request to the upstream of our own.
BODY = {"model": MODEL, "messages": [{"role": "user", "content": "What is the capital of Poland?"}]}
