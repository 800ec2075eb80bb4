"""Grammars on the real engine: answers keep to them, and no grammar ends the engine's service."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from venom_core.sdk.errors import InvalidRequest, UpstreamTimeout
from venom_core.sdk.messages import ChatRequest
from venom_core.testing.contexts import opened, provider_context
from venom_llamacpp.plugin import venom_providers
from venom_llamacpp.provider import LlamaCppProvider

pytestmark = [
    pytest.mark.engines,
    pytest.mark.timeout(300),
    pytest.mark.asyncio(loop_scope="module"),
]
MODEL = "smollm2:135m"
CHAT = {"messages": [{"role": "user", "content": "Is the sky blue?"}]}
TEXT = {"prompt": "Is the sky blue? It is"}
YES = 'root ::= "yes" | "no"'
#: As many ways on as there are places left: the engine has no end of it.
ENDLESS = 'root ::= ("a"?){0,1000}'


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def provider(
    real_models: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[LlamaCppProvider]:
    data = tmp_path_factory.mktemp("data")
    context = provider_context(venom_providers()[0], data, real_models)
    async with opened(LlamaCppProvider(context)) as made:
        yield made


async def said(
    provider: LlamaCppProvider,
    what: dict[str, Any],
    *,
    stream: bool,
    timeout: float = 60,
    **more: Any,
) -> str:
    body = {**what, "temperature": 0, "max_tokens": 12, **more}
    request = ChatRequest(MODEL, body, stream, "test", timeout)
    ask = provider.chat if "messages" in body else provider.complete
    frames = [frame async for frame in ask(request)]
    return "".join(choice.content or "" for frame in frames for choice in frame.event.choices)


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("what", [CHAT, TEXT], ids=["chat", "completion"])
async def test_an_answer_keeps_to_its_grammar(
    provider: LlamaCppProvider, what: dict[str, Any], stream: bool
) -> None:
    assert await said(provider, what, stream=stream, grammar=YES) in ("yes", "no")
    dates = 'root ::= [0-9]{4} "-" [0-9]{2}'
    found = await said(provider, what, stream=stream, grammar=dates)
    assert len(found) == 7 and found[4] == "-" and found.replace("-", "").isdigit()


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("what", [CHAT, TEXT], ids=["chat", "completion"])
@pytest.mark.parametrize(
    ("grammar", "words"),
    [
        ('root ::= root "a" | "b"', "a rule begins with itself"),
        ('root ::= b "a"\nb ::= root "c"', "a rule begins with itself"),
        ('root ::= ""*', "a rule begins with itself"),
        ("root ::= <nope>", "a token is none of this model's"),
        (r'root ::= "ab" [^\x00-\U0010FFFF]', "no token of this model can follow"),
        ("root ::= <[99999999]>", "no token of this model can follow"),
        (r'root ::= "\UFFFFFFFF"', "no token of this model can follow"),
        ('root ::= "a"{5,2}', "ends before it begins"),
        ("root ::= [z-a]", "ends before it begins"),
    ],
)
async def test_what_the_engine_cannot_follow_names_the_grammar(
    provider: LlamaCppProvider, what: dict[str, Any], grammar: str, words: str, stream: bool
) -> None:
    with pytest.raises(InvalidRequest) as raised:
        await said(provider, what, stream=stream, grammar=grammar)
    assert raised.value.param == "grammar" and words in raised.value.message
    assert await said(provider, what, stream=stream, grammar=YES) in ("yes", "no")


async def left_by_the_client(provider: LlamaCppProvider) -> None:
    """Leave an answer that has begun: one token, then as many ways on."""
    body = {**CHAT, "temperature": 0, "grammar": f'root ::= "Yes" more\nmore{ENDLESS[4:]}'}
    frames = provider.chat(ChatRequest(MODEL, body, True, "test"))
    await anext(frames)
    await frames.aclose()


async def left_at_its_deadline(provider: LlamaCppProvider) -> None:
    with pytest.raises(UpstreamTimeout):
        await said(provider, CHAT, stream=False, timeout=2, grammar=ENDLESS)


async def left_with_a_schema(provider: LlamaCppProvider) -> None:
    schema = {"type": "string", "pattern": "^(a?){0,1000}$"}
    form = {"type": "json_schema", "json_schema": {"name": "endless", "schema": schema}}
    with pytest.raises(UpstreamTimeout):
        await said(provider, CHAT, stream=False, timeout=2, response_format=form)


@pytest.mark.parametrize(
    "leave",
    [left_by_the_client, left_at_its_deadline, left_with_a_schema],
)
async def test_a_grammar_without_an_end_costs_its_engine_and_no_later_answer(
    provider: LlamaCppProvider,
    leave: Callable[[LlamaCppProvider], Awaitable[None]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(provider._stuck, "patience", 2.0)
    await provider.load(MODEL)
    first = (await provider.engines())[0].pid
    # An engine that had not begun to compute when it was left is well, and stays.
    for _ in range(10):
        await leave(provider)
        assert "ky" in await said(provider, CHAT, stream=False)
        if (await provider.engines())[0].pid != first:
            return
    pytest.fail("the engine was never ended")


async def test_an_engine_that_is_well_goes_on(
    provider: LlamaCppProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(provider._stuck, "patience", 120.0)
    await provider.load(MODEL)
    first = (await provider.engines())[0].pid
    frames = provider.chat(ChatRequest(MODEL, {**CHAT, "grammar": "root ::= [a-z ]+"}, True, "t"))
    await anext(frames)
    await frames.aclose()
    assert await said(provider, CHAT, stream=False)
    assert (await provider.engines())[0].pid == first
