"""A compose file as a project of its own, under podman: up, asked, and gone with its volumes."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import uuid
from pathlib import Path
from typing import Any, Self

import httpx
import own_index

from tools.containers.programs import compose_command, podman_command
from venom_core.testing.deadlines import eventually, patience

ROOT = Path(__file__).resolve().parents[3]
# Read at import: each test runs with a home and an environment of its own, and podman of a user
# keeps its images in the home.
ENVIRONMENT = {k: v for k, v in os.environ.items() if not k.startswith(("VENOM_", "OLLAMA_"))}
LINK = re.compile(r"http://127\.0\.0\.1:\d+/#sign-in=[\w-]+")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Project:
    """A context manager: the services of ``compose/compose.NAME.yml``, started.

    Args:
        override: what a second compose file says, beside this machine's settings of pip.
        profile: of compose, such as ``ollama``.
    """

    def __init__(
        self,
        name: str,
        folder: Path,
        *,
        override: dict[str, Any] | None = None,
        profile: str | None = None,
        **env: str,
    ) -> None:
        self.name = f"venom-smoke-{uuid.uuid4().hex[:8]}"
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._env = {**ENVIRONMENT, "VENOM_PORT": str(self.port), **env}
        more = folder / "override.yml"
        services = {"venom": {"volumes": own_index.volumes(), "environment": own_index.settings()}}
        for service, said in (override or {}).items():
            services[service] = {**services.get(service, {}), **said}
        more.write_text(json.dumps({"services": services}), encoding="utf-8")  # JSON is YAML
        files = ["--file", str(ROOT / "compose" / f"compose.{name}.yml"), "--file", str(more)]
        self._compose = [*compose_command(), *files, "--project-name", self.name]
        if profile is not None:
            self._compose += ["--profile", profile]

    def __enter__(self) -> Self:
        try:
            self._run([*self._compose, "up", "--detach", "--no-build"])
            assert eventually(self.is_alive, 60), self.logs()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._run([*self._compose, "down", "--volumes", "--timeout", "5"], check=False)

    def is_alive(self) -> bool:
        try:
            return httpx.get(f"{self.url}/healthz").status_code == 200
        except httpx.TransportError:
            return False

    def container(self, service: str = "venom") -> str:
        return f"{self.name}_{service}_1"

    def podman(self, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        return self._run([*podman_command(), *words], check=check)

    def inside(self, *command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a command in the server's container."""
        return self.podman("exec", self.container(), *command, check=check)

    def python(self, source: str) -> str:
        """Run Python with Venom's packages in the server's container; what it printed."""
        return self.inside("/opt/venom/bin/python", "-c", source).stdout.strip()

    def logs(self, service: str = "venom") -> str:
        done = self.podman("logs", self.container(service), check=False)
        return done.stdout + done.stderr

    def sign_in_links(self) -> list[str]:
        """Return the addresses that the server has printed and that sign a browser in."""
        return LINK.findall(self.logs())

    def key(self) -> str:
        """Return the key that the server made at its first start."""
        return self.inside("cat", "/data/first-key").stdout.strip()

    def restart(self) -> None:
        self.podman("restart", "--time", "20", self.container())
        assert eventually(self.is_alive, 60), self.logs()

    def client(self, key: str | None = None) -> httpx.Client:
        headers = {"Authorization": f"Bearer {key or self.key()}"}
        return httpx.Client(base_url=self.url, headers=headers, timeout=patience(120))

    def _run(self, command: list[str], *, check: bool = True) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            command, env=self._env, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True,
            text=True, timeout=patience(300), check=False,
        )  # fmt: skip
        assert not check or done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
        return done


def answer(client: httpx.Client, question: str, **body: object) -> str:
    """Ask a question as a program does; the answer's text."""
    messages = [{"role": "user", "content": question}]
    done = client.post("/v1/chat/completions", json={"messages": messages, **body})
    assert done.status_code == 200, done.text
    return str(done.json()["choices"][0]["message"]["content"])
