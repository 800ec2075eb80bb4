"""The real Gemma 3 through ``venom serve`` and the real ``openai`` client."""

from __future__ import annotations

import json
import random
import re
import signal
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import openai
import psutil
import pytest

from tests.unit.cli.processes import TEST_HOME, VENOM, all_gone, environment, fetch_models
from venom_core.testing.deadlines import eventually, patience
from venom_core.testing.questions import KNOWN, is_right

ROOT = Path(__file__).parents[2]
GEMMA = "gemma3-270m-base"
SMALL_TALK = "smollm2:135m"


@dataclass(frozen=True)
class Running:
    """A server of our own: where it listens, and its process."""

    url: str
    process: subprocess.Popen[str]

    def client(self) -> openai.OpenAI:
        return openai.OpenAI(
            base_url=f"{self.url}/v1", api_key="x", max_retries=0, timeout=patience(120)
        )

    def engines(self) -> list[psutil.Process]:
        """Every process that the server has started, its engines' launchers and all below."""
        return psutil.Process(self.process.pid).children(recursive=True)


@pytest.fixture(scope="module")
def models() -> Path:
    """A folder with both built-in models, fetched once and kept between runs."""
    fetch_models()
    return TEST_HOME / "models"


@pytest.fixture(scope="module")
def server(models: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    yield from serve(models, tmp_path_factory.mktemp("home"))


def serve(models: Path, home: Path) -> Iterator[Running]:
    (home / "models").symlink_to(models, target_is_directory=True)
    process = subprocess.Popen(
        [*VENOM, "serve", "--port", "0"], env=environment(home),
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    try:
        url = None
        while url is None:
            line = process.stdout.readline()
            assert line, "the server ended at its start"
            if found := re.search(r"Page\s+(http://\S+)", line):
                url = found[1]
        assert eventually(lambda: lists(url, GEMMA)), "the engine does not list its models"
        yield Running(url, process)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(patience(30))
        process.stdout.close()


def lists(url: str, model: str) -> bool:
    with urllib.request.urlopen(f"{url}/v1/models", timeout=patience(30)) as response:
        return any(item["id"] == model for item in json.load(response)["data"])


def ask(client: openai.OpenAI, question: str, model: str = GEMMA) -> str:
    message = [{"role": "user", "content": question}]
    result = client.chat.completions.create(model=model, messages=message)  # type: ignore[call-overload]
    return str(result.choices[0].message.content).strip()


def test_the_capital_of_poland_streamed_and_whole(server: Running) -> None:
    with server.client() as client:
        assert ask(client, "What is the capital of Poland?") == "Warsaw"
        stream = client.chat.completions.create(
            model=f"llamacpp://{GEMMA}",
            messages=[{"role": "user", "content": "What is the capital of Japan?"}],
            stream=True,
            stream_options={"include_usage": True},
        )
        chunks = list(stream)
    text = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
    assert text.strip() == "Tokyo"
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.completion_tokens >= 1
    assert {c.model for c in chunks} == {f"llamacpp://{GEMMA}"}, "a frame named something else"


def test_hi_without_a_model_gets_a_sentence_from_the_one_that_converses(server: Running) -> None:
    body = json.dumps({"messages": [{"role": "user", "content": "hi"}]}).encode()
    request = urllib.request.Request(f"{server.url}/v1/chat/completions", body, method="POST")
    with urllib.request.urlopen(request, timeout=patience(120)) as response:
        assert response.headers["Venom-Model"] == f"llamacpp://{SMALL_TALK}"
        text = json.load(response)["choices"][0]["message"]["content"]
    assert re.search(r"[A-Za-z]{2,} [A-Za-z]{2,}", text), text


def test_a_prompt_that_does_not_fit_is_refused_with_its_numbers(server: Running) -> None:
    with server.client() as client, pytest.raises(openai.BadRequestError) as raised:
        ask(client, "word " * 30_000)
    assert raised.value.code == "context_length_exceeded"
    assert re.search(r"\d{4,} tokens", raised.value.message)
    with server.client() as client:
        assert ask(client, "What is the capital of Italy?") == "Rome"


@pytest.mark.parametrize(
    ("more", "param"),
    [
        ({"messages": [{"role": "system", "content": "Be brief."}]}, "messages[0].role"),
        ({"tools": [{"type": "function", "function": {"name": "f"}}]}, "tools"),
    ],
)
def test_a_base_model_refuses_what_its_template_cannot_say(
    server: Running, more: dict[str, object], param: str
) -> None:
    body = {"messages": [{"role": "user", "content": "hi"}], "model": GEMMA, **more}
    with server.client() as client, pytest.raises(openai.BadRequestError) as raised:
        client.chat.completions.create(**body)  # type: ignore[call-overload]
    assert (raised.value.code, raised.value.param) == ("unsupported_parameter", param)


def test_text_completion(server: Running) -> None:
    with server.client() as client:
        result = client.completions.create(
            model=GEMMA, prompt="The capital of Poland is", max_tokens=4, temperature=0
        )
    assert "Warsaw" in result.choices[0].text


def test_an_engine_killed_in_mid_stream_is_an_error_event_and_comes_back(server: Running) -> None:
    story = [{"role": "user", "content": "Tell me a long story about the sea."}]
    with server.client() as client:
        stream = client.chat.completions.create(
            model=SMALL_TALK, messages=story, stream=True, max_tokens=2000
        )  # type: ignore[call-overload]
        next(iter(stream))
        for process in server.engines():
            if "engine_launcher" not in " ".join(process.cmdline()):
                process.kill()
        with pytest.raises(openai.APIError) as raised:
            for _ in stream:
                pass
        assert raised.value.code in ("upstream_error", "upstream_incomplete")
        assert ask(client, "What is the capital of Poland?") == "Warsaw"


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_however_the_server_ends_under_load_no_engine_is_left(
    models: Path, tmp_path: Path, how: signal.Signals
) -> None:
    for running in serve(models, tmp_path):
        with running.client() as client:
            stream = client.chat.completions.create(
                model=GEMMA, messages=[{"role": "user", "content": "hi"}], stream=True,
                stop=["\0never"], max_tokens=3000,
            )  # fmt: skip
            next(iter(stream))
            engines = running.engines()
            assert engines
            running.process.send_signal(how)
            running.process.wait(patience(30))
            assert all_gone(engines)


@pytest.mark.engines
def test_the_twelve_known_questions_in_any_order(server: Running) -> None:
    questions = list(KNOWN)
    random.Random(time.time_ns()).shuffle(questions)
    with server.client() as client:
        answers = {question: ask(client, question) for question in questions}
    assert {q: a for q, a in answers.items() if not is_right(q, a)} == {}
