"""Refusals say why and what to do, in the one text that clients show; each fix is done here from
the state that was refused, and the state is gone."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from venom_core.sdk.errors import ContextLengthExceeded, VenomError, restored
from venom_core.sdk.provider import Model
from venom_core.sdk.upstream_refusals import error_event, refusal
from venom_core.testing import scripted
from venom_core.testing.scripted import Script, answer

CHAT = "/v1/chat/completions"
EMBED = "/v1/embeddings"
HI: dict[str, Any] = {"model": "gemma3:4b", "messages": [{"role": "user", "content": "hi"}]}
Asked = tuple[str, str, Any]


def hi(content: Any = "hi", **more: Any) -> dict[str, Any]:
    return {**HI, "messages": [{"role": "user", "content": content}], **more}


@pytest.fixture(autouse=True)
def models() -> None:
    for name in ("gemma3:4b", "hf.co/ggml-org/gemma-3-1b-it-GGUF:Q4_K_M"):
        scripted.SCRIPTS[name] = Script(answer("yes"), Model(name, "folder"))


def place(body: Any, path: str, value: Any) -> Any:
    """Put a value where a path says (``messages[0].role``)."""
    body = copy.deepcopy(body)
    steps = [int(n) if n else name for n, name in re.findall(r"\[(\d+)\]|([^.\[\]]+)", path)]
    at = body
    for step in steps[:-1]:
        at = at[step]
    if value is None:
        del at[steps[-1]]
    else:
        at[steps[-1]] = value
    return body


#: What a fix says to do -> the request after doing it. ``param`` is the field at fault.
DOING: tuple[tuple[str, Callable[[re.Match[str], Asked, str], Asked]], ...] = (
    (r"Send at (?:most|least) (\S+), or leave (\S+) out\.",
     lambda m, a, p: (a[0], a[1], place(a[2], p, json.loads(m[1])))),
    (r"Leave (\S+) out\.", lambda m, a, p: (a[0], a[1], place(a[2], p, None))),
    (r"Add (\S+)\.", lambda m, a, p: (a[0], a[1], place(a[2], m[1], SAMPLES[m[1].split(".")[-1]]))),
    (r"Send one of: (.*)", lambda m, a, p: (
        a[0], a[1], place(a[2], p, re.findall(r"'(\w+)'", m[1])[0]))),
    (r"Correct (\S+); what it may be is at /docs/api",
     lambda m, a, p: (a[0], a[1], place(a[2], p, SAMPLES[p.split(".")[-1].split("[")[0]]))),
    (r"It takes (\w+).*\.", lambda m, a, p: (m[1], a[1], HI)),
    (r"Use (\w+) (\S+) in its place; .*", lambda m, a, p: (m[1], m[2], BODIES.get(m[2], HI))),
    (r"Set the client's base URL to this server's address followed by (/v1) and nothing else\.",
     lambda m, a, p: (a[0], m[1] + re.search(r"/(chat/)?\w+/?$", a[1])[0].rstrip("/"), a[2])),
    (r"Did you mean (\S+)\? All names: venom list",
     lambda m, a, p: (a[0], a[1], {**a[2], "model": m[1]})),
)  # fmt: skip
SAMPLES: dict[str, Any] = {
    "messages": HI["messages"], "text": "hi", "content": "hi", "input": "hi", "stop": ["a"],
    "role": "user", "url": "data:,", "temperature": 1, "max_tokens": 5,
}  # fmt: skip
BODIES = {
    **{path: {"model": "gemma3:4b", "input": "hi"} for path in (EMBED, "/v1/responses")},
    "/v1/messages": {**HI, "max_tokens": 5},
}


@dataclass(frozen=True)
class Case:
    asked: Asked
    sentence: str
    param: str | None = None


CASES = {
    "too high": Case(("POST", CHAT, hi(temperature=5)),
                     "temperature: Input should be less than or equal to 2.", "temperature"),
    "too low": Case(("POST", CHAT, hi(max_tokens=0)),
                    "max_tokens: Input should be greater than or equal to 1 or -1.", "max_tokens"),
    "wrong type": Case(("POST", CHAT, hi(temperature="hot")),
                       "temperature: Input should be a valid number.", "temperature"),
    "no messages": Case(("POST", CHAT, {"model": "gemma3:4b"}),
                        "The field 'messages' is missing.", "messages"),
    "unknown role": Case(("POST", CHAT, {**HI, "messages": [{"role": "usr", "content": "x"}]}),
                         "messages[0].role: Input should be 'system', ", "messages[0].role"),
    "part of another kind": Case(
        ("POST", CHAT, hi([{"type": "input_audio", "text": "x"}])),
        "messages[0].content[0].type: Input should be 'text' or 'image_url'.",
        "messages[0].content[0].type"),
    "part without text": Case(
        ("POST", CHAT, hi([{"type": "text", "text": "a"}, {"type": "text"}])),
        "messages[0].content[1].text: Field required.", "messages[0].content[1].text"),
    "content is a number": Case(
        ("POST", CHAT, hi(5)),
        "messages[0].content: Input should be a valid string or a valid list.",
        "messages[0].content"),
    "stop with a number": Case(("POST", CHAT, hi(stop=5)),
                               "stop: Input should be a valid string or a valid list.", "stop"),
    "no input": Case(("POST", EMBED, {"model": "gemma3:4b"}),
                     "The field 'input' is missing.", "input"),
    "method": Case(("PUT", CHAT, HI), "This route does not take this method."),
    "misspelt model": Case(("POST", CHAT, {**HI, "model": "Gemma3:4"}),
                           "The model 'Gemma3:4' is not installed.", "model"),
    "misspelt reference": Case(("POST", CHAT, {**HI, "model": "scripted://gema3:4b"}),
                               "The model 'scripted://gema3:4b' is not installed.", "model"),
    "no /v1": Case(("POST", "/chat/completions", HI),
                   "There is no such route; it is /v1/chat/completions here."),
    "/v1 twice": Case(("POST", "/v1/v1/chat/completions", HI),
                      "There is no such route; it is /v1/chat/completions here."),
    "route as base": Case(("POST", "/v1/chat/completions/chat/completions", HI),
                          "There is no such route; it is /v1/chat/completions here."),
    "base of another server": Case(("GET", "/api/v1/embeddings", None),
                                   "There is no such route; it is /v1/embeddings here."),
    **{
        path: Case((method, path, HI if method == "POST" else None), f"{whose} is not served here.")
        for method, path, whose in (
            ("POST", "/v1/responses/compact", "This part of OpenAI's Responses API"),
            ("POST", "/v1/messages/batches", "Anthropic's API of batches"),
            ("POST", "/v1/assistants", "OpenAI's Assistants API"),
            ("POST", "/v1/models/gemini-pro:generateContent", "Google's Gemini API"),
            ("POST", "/v1beta/models/gemini-pro:embedContent", "Google's Gemini API"),
            ("GET", "/api/me", "This part of Ollama's API"),
            ("POST", "/api/v0/chat/completions", "LM Studio's own API"),
            ("POST", "/completion", "llama.cpp's own API"),
            ("POST", "/generate", "Text Generation Inference's API"),
        )
    },
}  # fmt: skip


def said(response: httpx.Response) -> tuple[str, dict[str, Any]]:
    """Return what a client shows, and the whole record of either API."""
    body = response.json()
    record = body.get("error", body)
    return record.get("message") or f"{record['detail']} {record['fix']}", record


@pytest.mark.parametrize("name", CASES)
async def test_the_fix_ends_the_state(client: httpx.AsyncClient, name: str) -> None:
    case = CASES[name]
    method, path, body = case.asked
    response = await client.request(method, path, json=body)
    assert 400 <= response.status_code < 500, response.text
    shown, record = said(response)
    assert shown.startswith(case.sentence) and shown.endswith(record["fix"]), shown
    assert record["param"] == case.param
    asked, done = case.asked, 0
    for pattern, do in DOING:
        if found := re.fullmatch(pattern, record["fix"]):
            asked, done = do(found, asked, case.param or ""), done + 1
    assert done == 1, f"nobody knows how to do {record['fix']!r}"
    if asked[1] == EMBED:
        asked = ("POST", EMBED, {**BODIES[EMBED], **(asked[2] or {})})
    again = await client.request(asked[0], asked[1], json=None if asked[0] == "GET" else asked[2])
    assert again.status_code == 200, again.text


@pytest.mark.parametrize(
    "path",
    ["/v1/images/generations", "/v1/audio/speech", "/v1/files", "/v1/moderations", "/v1/batches"],
)
async def test_what_nothing_here_does_is_said(client: httpx.AsyncClient, path: str) -> None:
    response = await client.post(path, json={})
    shown, record = said(response)
    assert response.status_code == 404 and " is not served here. Use another server" in shown
    assert record["fix"].startswith("Use another server for it")


@pytest.mark.parametrize(
    "address",
    [
        "https://huggingface.co/ggml-org/gemma-3-1b-it-GGUF:Q4_K_M",
        "huggingface.co/ggml-org/gemma-3-1b-it-GGUF:Q4_K_M",
        "https://hf.co/ggml-org/gemma-3-1b-it-GGUF/blob/main/gemma-3-1b-it-Q4_K_M.gguf",
        "https://www.huggingface.co/ggml-org/gemma-3-1b-it-GGUF/resolve/main/x.q4_k_m.gguf?download=true",
    ],
)
def test_an_address_is_the_name_on_its_page(address: str) -> None:
    from venom_core.models.addresses import without_address
    from venom_core.sdk.hub_pages import HUB_PAGES
    from venom_core.testing.scripted import venom_providers

    (spec,) = venom_providers()
    object.__setattr__(spec, "pages", HUB_PAGES)
    name = without_address(address, [spec])
    assert name.lower() == "hf.co/ggml-org/gemma-3-1b-it-gguf:q4_k_m"


async def test_an_address_that_nobody_knows_is_no_provider(client: httpx.AsyncClient) -> None:
    response = await client.post(CHAT, json={**HI, "model": "https://example.com/models/x"})
    shown, record = said(response)
    assert record["code"] == "invalid_model_name" and "web address" in shown
    assert "provider 'https'" not in shown


VLLM = (
    "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens "
    "(4900 in the messages, 100 in the completion)."
)
LM_STUDIO = (
    "Trying to keep the first 5000 tokens when context the overflows. However, the model is loaded "
    "with context length of only 4096 tokens"
)
OVERFLOWS: dict[str, tuple[Any, tuple[str, ...]]] = {
    "llama.cpp": ({"message": "the request exceeds the available context size, try increasing it",
                   "type": "exceed_context_size_error", "n_prompt_tokens": 5000, "n_ctx": 4096},
                  ("5000", "4096")),
    "llama.cpp in words": (
        {"message": "request (5000 tokens) exceeds the available context size (4096 tokens)"},
        ("5000", "4096")),
    "vLLM": ({"message": VLLM, "type": "BadRequestError", "code": 400}, ("5000", "4096")),
    "LM Studio": (LM_STUDIO, ("5000", "4096")),
    "OpenAI by its code": ({"message": "Too long.", "code": "context_length_exceeded"}, ()),
    "no numbers": ({"message": "the prompt is too long"}, ()),
    "numbers that cannot be": (
        {"message": "context size", "n_prompt_tokens": 10**30, "n_ctx": True}, ()),
}  # fmt: skip


@pytest.mark.parametrize("name", OVERFLOWS)
@pytest.mark.parametrize("streamed", [False, True])
async def test_an_overflow_is_known_to_clients(
    client: httpx.AsyncClient, name: str, streamed: bool
) -> None:
    error, numbers = OVERFLOWS[name]
    raised: VenomError = (
        error_event(error)
        if streamed
        else refusal(400, {}, json.dumps({"error": error}).encode(), "m")
    )
    scripted.SCRIPTS["gemma3:4b"] = Script([raised])
    response = await client.post(CHAT, json=HI)
    shown, record = said(response)
    assert (response.status_code, record["code"]) == (400, "context_length_exceeded")
    assert "This model's maximum context length is" in shown  # LiteLLM's sign, letter by letter
    assert all(number in shown for number in numbers)


async def test_an_overflow_of_any_plugin_is_known_to_clients(client: httpx.AsyncClient) -> None:
    scripted.SCRIPTS["gemma3:4b"] = Script([ContextLengthExceeded("Too much.", fix="Send less.")])
    shown, _ = said(await client.post(CHAT, json=HI))
    assert shown == "This model's maximum context length is exceeded. Too much. Send less."


def test_what_one_venom_says_to_another_is_told_once() -> None:
    words = {"message": "It is full. Wait a moment.", "fix": "Wait a moment.", "status": 429}
    assert (restored(words).message, restored(words).fix) == ("It is full.", "Wait a moment.")
