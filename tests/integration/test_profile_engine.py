"""The profile switched under a real engine: its answer is whole, then its process is gone."""

from __future__ import annotations

import json
import threading
import urllib.request
from pathlib import Path

from tests.unit.cli.processes import Running, all_gone, home_with_models, running, venom
from venom_core.testing.deadlines import patience


def stream(url: str, begun: threading.Event, lines: list[str]) -> None:
    body = {
        "model": "smollm2:135m",
        "stream": True,
        "max_tokens": 400,
        "messages": [{"role": "user", "content": "Tell a very long story."}],
    }
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(
        f"{url}/v1/chat/completions", json.dumps(body).encode(), headers
    )
    with urllib.request.urlopen(request, timeout=patience(120)) as response:
        for line in response:
            if line.startswith(b"data: "):
                lines.append(line[6:].decode().strip())
                begun.set()


def test_a_real_engine_ends_behind_its_answer_and_not_before(tmp_path: Path) -> None:
    with running(home_with_models(tmp_path / "home"), "serve", "--port", "0") as server:
        url, begun, lines = server.url(), threading.Event(), list[str]()
        reader = threading.Thread(target=stream, args=(url, begun, lines))
        reader.start()
        assert begun.wait(patience(90)), "no answer began"
        engines = server.descendants()
        assert engines, "no engine was started"
        done = venom(server.home, "profile", "use", "llm_off", "--json")
        assert json.loads(done.stdout)["profile"] == "llm_off", done.stderr
        refused = venom(server.home, "run", "smollm2:135m", "Hello")
        assert "llm_off" in refused.stderr
        reader.join(patience(120))
        assert lines[-1] == "[DONE]" and not reader.is_alive()
        finishes = [one["choices"][0]["finish_reason"] for one in map(json.loads, lines[:-1])
                    if one["choices"]]  # fmt: skip
        assert finishes[-1] in ("stop", "length"), "it was not broken off"
        assert all_gone(engines, 20)
        assert "smollm2:135m" in venom(server.home, "list").stdout
        assert lights_up(server)


def lights_up(server: Running) -> bool:
    """Whether models answer again behind the switch back."""
    assert venom(server.home, "profile", "use", "light").returncode == 0
    question = "What is the capital of Poland?"
    return venom(server.home, "run", "gemma3-270m-base", question).stdout == "Warsaw\n"
