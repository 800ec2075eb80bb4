"""An author's engine in a child process: supervised, asked through the provider's own client."""

from __future__ import annotations

import contextlib
import json
import logging
import shutil
import sys
import venv
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from venom_core.sdk.engine import EngineCommand, EngineProcess
from venom_core.sdk.engine_server import load_refusal, server_args, server_environment
from venom_core.sdk.errors import ContextLengthExceeded, RateLimited, StorageError
from venom_core.sdk.frames import FrameKind
from venom_core.sdk.messages import ChatRequest, EmbedRequest
from venom_core.sdk.openai_engine import Endpoint, OpenAIEngineProvider
from venom_core.sdk.provider import ProviderContext
from venom_core.sdk.spec import ProviderSpec
from venom_core.sdk.states import Health, ProviderStatus
from venom_core.testing.deadlines import until

FAKE = Path(__file__).with_name("spelling_engine.py")
Make = Callable[..., EngineProcess]


@pytest.fixture
async def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Make]:
    (tmp_path / "site").mkdir()
    shutil.copy(FAKE, tmp_path / "site" / "speller_of_somebody.py")
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    made: list[EngineProcess] = []

    def engine(python: str = sys.executable, **config: Any) -> EngineProcess:
        command = EngineCommand(
            name="speller",
            args=server_args("speller_of_somebody:SpellingEngine"),
            log_file=tmp_path / "engine.log",
            pid_file=tmp_path / "engine.pid",
            python=python,
            env=server_environment(config),
            explain=load_refusal,
        )
        made.append(EngineProcess(command))
        return made[-1]

    yield engine
    for each in made:
        await each.stop()


class Provider(OpenAIEngineProvider):
    def __init__(self, engine: EngineProcess, data: Path) -> None:
        spec = ProviderSpec("speller", "Speller", "It spells.", "x:Y", frozenset())
        logger = logging.getLogger("speller")
        super().__init__(ProviderContext(spec, {}, data, data, logger))
        self.engine = engine

    async def health(self) -> Health:
        return Health(ProviderStatus.READY)

    async def models(self) -> tuple[()]:
        return ()

    @contextlib.asynccontextmanager
    async def lease(self, ref: str) -> AsyncGenerator[Endpoint, None]:
        address = await self.engine.start()
        headers = {"Authorization": f"Bearer {address.key}"}
        yield Endpoint(address.base_url, ref, headers)


def request(text: str, *, stream: bool, **body: Any) -> ChatRequest:
    messages = [{"role": "user", "content": text}]
    return ChatRequest("speller", {"messages": messages, **body}, stream, "test")


async def test_an_engine_in_an_environment_without_venom(make: Make, tmp_path: Path) -> None:
    venv.create(tmp_path / "bare", symlinks=True)
    python = tmp_path / "bare" / "bin" / "python"
    provider = Provider(make(str(python)), tmp_path)
    frames = [frame async for frame in provider.chat(request("żółw 🐢", stream=True))]
    said = "".join(c.content or "" for f in frames for c in f.event.choices)
    assert said == "żółw 🐢" and frames[-1].kind is FrameKind.USAGE
    (whole,) = [frame async for frame in provider.chat(request("hi", stream=False))]
    assert whole.event.choices[0].content == "hi"
    vectors = await provider.embed(EmbedRequest("speller", ("a", "bb"), "test"))
    assert [vector[0] for vector in vectors.vectors] == [1.0, 2.0]
    await provider.close()


async def test_refusals_keep_their_code_on_the_way(make: Make, tmp_path: Path) -> None:
    provider = Provider(make(context_length=10), tmp_path)
    with pytest.raises(ContextLengthExceeded, match=r"10 tokens.* 11 tokens"):
        _ = [frame async for frame in provider.chat(request("x" * 11, stream=True))]
    await provider.close()


async def test_a_client_that_closes_its_answer_ends_the_generation(
    make: Make, tmp_path: Path
) -> None:
    engine = make(context_length=10**9)
    provider = Provider(engine, tmp_path)
    answer = provider.chat(request("endless", stream=True))
    await anext(answer)
    await answer.aclose()
    address = await engine.start()
    client = provider.client(address.base_url)

    async def figures() -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {address.key}"}
        return dict((await client.get("/health", headers=headers)).json())

    seen: dict[str, Any] = {}
    while not seen.get("cancelled"):
        seen = await figures()
    assert seen["running"] == 0 and seen["generated_tokens"] < 10**8
    await provider.close()


async def test_a_refusal_to_load_is_what_the_user_is_told(make: Make) -> None:
    with pytest.raises(StorageError, match="cut short") as caught:
        await make(broken=True).start()
    assert (caught.value.code, caught.value.fix) == ("model_damaged", "Copy it.")


async def test_it_ends_at_sigterm_and_answers_nothing_without_its_key(make: Make) -> None:
    engine = make()
    address = await engine.start()
    assert engine._run is not None
    process = engine._run.process
    await engine.stop()
    await until(lambda: process.returncode is not None)
    assert process.returncode in (0, 143), "the launcher tells the engine's own end"
    assert address.key not in engine.command.log_file.read_text()


@pytest.mark.parametrize(
    "lines",
    [[], ["words"], ["venom-engine-refusal: {"], ["venom-engine-refusal: []"],
     ["venom-engine-refusal: " + json.dumps({"a": [1] * 200})]],
    ids=["nothing", "words", "half", "list", "large"],
)  # fmt: skip
def test_a_log_without_a_refusal_tells_none(lines: list[str]) -> None:
    assert load_refusal(lines) is None


def test_a_module_that_is_not_there_is_said_before_anything_is_started() -> None:
    with pytest.raises(ModuleNotFoundError, match="nowhere_at_all"):
        server_args("nowhere_at_all.engine:Engine")


def test_what_a_busy_engine_says_is_a_rate_limit() -> None:
    from venom_core.sdk.engine_answers import error_body, line
    from venom_core.sdk.errors import QueueFull
    from venom_core.sdk.upstream_refusals import refusal

    told = refusal(429, {"retry-after": "5"}, line(error_body(QueueFull("Full."))), "m")
    assert isinstance(told, RateLimited) and told.code == "queue_full" and told.retry_after == 5
