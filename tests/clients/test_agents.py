"""Agents for the terminal, through a whole loop: asked, a command run, its words told.

What they send is theirs; nothing leaves this machine: the one address they know is the server's.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.clients.conftest import Place
from tests.clients.fake_engine import COMMAND, SHELL
from tools.clients import HOME
from venom_core.testing.deadlines import patience

CLIENT = "agents"
AGENTS = HOME / "agents" / "node_modules"
SAID = COMMAND.removeprefix("echo ")
QUESTION = "Say hello with the shell"
pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or os.uname().machine != "x86_64",
    reason="the agents are tried in their builds for Linux on x86_64",
)


def run(program: Path, *arguments: str, home: Path, env: dict[str, str]) -> str:
    """Return what an agent says, run in an empty folder with a home of its own."""
    work = home / "work"
    work.mkdir(parents=True)
    told = {"PATH": os.environ["PATH"], "HOME": str(home), "TERM": "dumb", **env}
    done = subprocess.run(
        [str(program), *arguments], cwd=work, env=told, stdin=subprocess.DEVNULL,
        capture_output=True, text=True, timeout=patience(120), check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_codex(server: Place, tmp_path: Path) -> None:
    """Its own search is a tool of OpenAI's, so it is switched off."""
    settings = tmp_path / ".codex"
    settings.mkdir()
    lines = (
        f'model = "{SHELL}"', 'model_provider = "venom"', 'web_search = "disabled"',
        "[model_providers.venom]", 'name = "Venom"', f'base_url = "{server.url}"',
        'env_key = "VENOM_KEY"', 'wire_api = "responses"',
    )  # fmt: skip
    (settings / "config.toml").write_text("\n".join(lines), encoding="utf-8")
    [program] = (AGENTS / "@openai" / "codex-linux-x64").glob("vendor/*/bin/codex")
    bare = "--dangerously-bypass-approvals-and-sandbox"
    said = run(program, "exec", "--skip-git-repo-check", bare, QUESTION,
               home=tmp_path, env={"VENOM_KEY": server.key})  # fmt: skip
    assert "The tool said: " in said and SAID in said


def test_claude_code(server: Place, tmp_path: Path) -> None:
    env = {
        "ANTHROPIC_BASE_URL": server.url.removesuffix("/v1"), "ANTHROPIC_AUTH_TOKEN": server.key,
        "ANTHROPIC_MODEL": SHELL, "ANTHROPIC_SMALL_FAST_MODEL": SHELL, "IS_SANDBOX": "1",
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1", "DISABLE_TELEMETRY": "1",
    }  # fmt: skip
    program = AGENTS / "@anthropic-ai" / "claude-code-linux-x64" / "claude"
    said: Any = json.loads(
        run(program, "-p", QUESTION, "--dangerously-skip-permissions", "--output-format", "json",
            home=tmp_path, env=env)
    )  # fmt: skip
    assert not said["is_error"] and said["num_turns"] == 2
    assert said["result"].startswith("The tool said: ") and SAID in said["result"]
