"""Every refusal of a parameter in the tree, and what becomes of it under the policy ``warn``."""

from __future__ import annotations

import ast
import asyncio
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from venom_core.api.anthropic.blocks import Hints
from venom_core.api.anthropic.body import chat_body as messages_chat_body
from venom_core.api.ollama.body import generate_messages
from venom_core.api.responses.body import chat_body as responses_chat_body
from venom_core.api.responses.routes import ResponseRoutes
from venom_core.chat.asked import MOST_LEFT_OUT, Asked
from venom_core.chat.checks import check_messages, check_tools
from venom_core.chat.parameters import (
    STRICT_TOOLS,
    Policy,
    apply_policy,
    check_embedding_parameters,
    check_override,
    without_refused,
)
from venom_core.chat.prompts import check_tokens
from venom_core.models.registry import ListedModel
from venom_core.sdk.engine_requests import generation, inputs
from venom_core.sdk.errors import InvalidRequest, UnsupportedParameter, VenomError
from venom_core.sdk.messages import ChatRequest
from venom_core.sdk.provider import Model
from venom_core.sdk.tool_emulation import emulate_tools
from venom_core.sdk.tool_schemas import read_tools
from venom_core.sdk.upstream_refusals import refusal
from venom_llamacpp.infill import Infill
from venom_llamacpp.provider import LlamaCppProvider
from venom_ollama.refusals import refusal as ollama_refusal
from venom_ollama.requests import chat_request
from venom_remote.plugin import venom_providers
from venom_remote.provider import RemoteProvider

ROOT = Path(__file__).parents[3]
TEXT = [{"role": "user", "content": "Hello"}]
WEATHER = {"name": "weather", "parameters": {"type": "object", "properties": {}}}
TOOL = {"type": "function", "function": WEATHER}
STRICT = {"type": "function", "function": {**WEATHER, "strict": True}}
FORECAST = {"type": "function", "function": {**WEATHER, "name": "forecast", "strict": True}}
SEARCH = {"type": "web_search"}

Body = Mapping[str, Any]
Provoke = Callable[[Body], object]


@dataclass(frozen=True)
class Site:
    """A place that refuses: ``file:function``, and the field, or how it is made."""

    where: str
    body: dict[str, Any]
    provoke: Provoke
    param: str
    left_out: tuple[str, ...] = ()
    stays: str = ""
    rest: dict[str, Any] = field(default_factory=dict)


def ollama(body: Body) -> object:
    return chat_request("m", {"messages": TEXT, **body})


def ollama_says(words: str) -> Provoke:
    """Refuse as an Ollama does that does not like a field of the body."""
    name = {"tools": "tools", "thinking": "reasoning_effort", "insert": "suffix"}[words]

    def ask(body: Body) -> None:
        if name in body:
            raise ollama_refusal(400, f'"m" does not support {words}', "m")

    return ask


def remote(body: Body) -> None:
    (spec,) = venom_providers()
    context = SimpleNamespace(spec=spec, settings={"unknown_fields": "refuse"})
    request = ChatRequest("m", {"messages": TEXT, **body}, stream=True, request_id="r")
    RemoteProvider._check_fields(cast(Any, SimpleNamespace(context=context)), request)


class _LlamaCpp(LlamaCppProvider):
    """The provider over no engine: whatever is no refusal of a field ends in an error."""

    def __init__(self) -> None:  # no context, no engine
        pass

    async def _find(self, ref: str) -> Any:
        return SimpleNamespace(model=None)

    def require(self, *args: Any) -> None:
        pass


def llamacpp(body: Body) -> None:
    request = ChatRequest("m", {"prompt": "Hello", **body}, stream=True, request_id="r")
    steps = anext(_LlamaCpp()._completion(request)).__await__()
    try:
        next(steps)
    except UnsupportedParameter:
        raise
    except (AttributeError, StopIteration):
        return


def infill(body: Body) -> None:
    """Ask a model that has no markers for filling in the middle."""
    if "suffix" not in body:
        return
    known = Infill()
    known._known["m"] = "here", None
    known.prompt("m", "here", cast(Any, None), body).send(None)


def over_http(param: str) -> Provoke:
    """Refuse as an engine of ours, or another Venom, does over HTTP."""
    said = {"message": "No.", "code": "unsupported_parameter", "param": param}

    def ask(body: Body) -> None:
        if param in body:
            raise refusal(400, {}, json.dumps({"error": said}).encode(), "m")

    return ask


def engine(body: Body) -> object:
    return generation(body, "chat", frozenset({"temperature"}))


def listed(**more: Any) -> ListedModel:
    return ListedModel("scripted", Model("m", "folder", **more))  # type: ignore[arg-type]


A_TYPE = "what is asked for is of a kind that nobody here knows"
MESSAGES = "the messages are what is asked"
VECTORS = "vectors of another size fit no index"

SITES = (
    Site("venom_ollama/requests.py:_tools", {"tools": [TOOL], "tool_choice": "required"}, ollama,
         "tool_choice", ("tool_choice",), rest={"tools": [TOOL]}),
    Site("venom_ollama/requests.py:_tools", {"tools": [TOOL], "parallel_tool_calls": False},
         ollama, "parallel_tool_calls", ("parallel_tool_calls",), rest={"tools": [TOOL]}),
    Site("venom_ollama/requests.py:_tools", {"tools": [SEARCH]}, ollama, "tools[0].type",
         stays=A_TYPE),
    Site("venom_ollama/requests.py:_tools", {"tools": [TOOL, STRICT, FORECAST]}, ollama,
         "tools[1].function.strict", (STRICT_TOOLS,),
         rest={"tools": [TOOL, TOOL, {**TOOL, "function": {**WEATHER, "name": "forecast"}}]}),
    Site("venom_ollama/requests.py:_format", {"response_format": {"type": "xml"}}, ollama,
         "response_format.type", stays=A_TYPE),
    Site("venom_ollama/requests.py:_think", {"reasoning_effort": "huge"}, ollama,
         "reasoning_effort", ("reasoning_effort",)),
    Site("venom_ollama/requests.py:_messages", {"messages": [{**TEXT[0], "name": "Ann"}]}, ollama,
         "messages[0].name", stays=MESSAGES),
    Site("venom_ollama/requests.py:_content",
         {"messages": [{"role": "user", "content": [{"type": "audio"}]}]}, ollama,
         "messages[0].content[0].type", stays=MESSAGES),
    Site("venom_ollama/refusals.py:_parameter",
         {"tools": [TOOL], "tool_choice": "required", "parallel_tool_calls": True},
         ollama_says("tools"), "tools", ("tools", "tool_choice")),
    Site("venom_ollama/refusals.py:_parameter", {"reasoning_effort": "high"},
         ollama_says("thinking"), "reasoning_effort", ("reasoning_effort",)),
    Site("venom_ollama/refusals.py:_parameter", {"prompt": "a", "suffix": "b"},
         ollama_says("insert"), "suffix", ("suffix",), rest={"prompt": "a"}),
    Site("venom_remote/provider.py:_check_fields", {"dry_base": 2, "seed": 1}, remote, "dry_base",
         ("dry_base",), rest={"seed": 1}),
    Site("venom_llamacpp/provider.py:_completion", {"top_logprobs": 2, "logprobs": 1}, llamacpp,
         "top_logprobs", ("top_logprobs",), rest={"logprobs": 1}),
    Site("venom_llamacpp/provider.py:_completion", {"response_format": {"type": "json_object"}},
         llamacpp, "response_format", ("response_format",)),
    Site("venom_llamacpp/infill.py:prompt", {"prompt": "a", "suffix": "b"}, infill, "suffix",
         ("suffix",), rest={"prompt": "a"}),
    Site("sdk/tool_emulation.py:emulate_tools",
         {"messages": TEXT, "tools": [TOOL], "logprobs": True, "top_logprobs": 2}, emulate_tools,
         "logprobs", ("logprobs", "top_logprobs"), rest={"messages": TEXT, "tools": [TOOL]}),
    Site("sdk/tool_schemas.py:_read", {"tools": [SEARCH]},
         lambda body: read_tools(body["tools"]), "tools[0].type", stays=A_TYPE),
    Site("sdk/engine_requests.py:generation", {"messages": TEXT, "top_a": 1}, engine, "top_a",
         ("top_a",), rest={"messages": TEXT}),
    Site("sdk/engine_requests.py:generation", {"logit_bias": {"1": 2}}, over_http("logit_bias"),
         "logit_bias", ("logit_bias",)),
    Site("sdk/engine_requests.py:inputs", {"input": "a", "dimensions": 64}, inputs, "dimensions",
         stays=VECTORS),
    Site("chat/checks.py:check_messages", {"messages": [{**TEXT[0], "role": "system"}]},
         lambda body: check_messages(listed(allowed_roles=("user",)), body), "messages[0].role",
         stays=MESSAGES),
    Site("chat/prompts.py:check_tokens", {"prompt": [1, 2]},
         lambda body: check_tokens(((1, 2),), "prompt", venom_none(), "m"), "prompt",
         stays=MESSAGES),
)  # fmt: skip
#: Those that know the policy themselves: refused under ``strict`` only, but for vectors.
BY_POLICY: dict[str, Callable[[Policy], object]] = {
    "chat/parameters.py:apply_policy":
        lambda policy: apply_policy({"seed": 1}, (), policy, model="m")[1] == ("seed",),
    "chat/parameters.py:check_override":
        lambda policy: check_override({"seed": 1}, (), policy, model="m")[1] == ("seed",),
    "chat/checks.py:check_tools":
        lambda policy: check_tools(
            listed(capabilities=frozenset({"chat"})),
            {"messages": TEXT, "tools": [TOOL], "tool_choice": "required"}, policy,
        ) == ({"messages": TEXT}, ("tools", "tool_choice")),
}  # fmt: skip


def responses(body: Body) -> object:
    return responses_chat_body({"input": "x", **body}, ())


def messages(body: Body) -> object:
    return messages_chat_body({"messages": TEXT, **body}, Hints())


def generated(body: Body) -> object:
    return generate_messages(body)


def kept(body: Body) -> object:
    """Ask for a kept response as a stream."""
    request = SimpleNamespace(query_params=body, path_params={"response_id": "r"})
    return asyncio.run(ResponseRoutes(cast(Any, None)).get_response(cast(Any, request), None))


def said(*content: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": list(content)}]}


#: Words of one wire alone: they are refused before a chat is made of them, whatever the policy.
OF_A_WIRE: tuple[tuple[str, Provoke, dict[str, Any], str], ...] = (
    ("responses/body.py:_check_only", responses, {"background": True}, "background"),
    ("responses/body.py:_check_only", responses, {"conversation": "c"}, "conversation"),
    ("responses/body.py:_included", responses, {"include": ["x"]}, "include[0]"),
    ("responses/body.py:_function", responses, {"tools": [SEARCH]}, "tools[0].type"),
    ("responses/body.py:_tool_choice", responses, {"tool_choice": SEARCH}, "tool_choice.type"),
    ("responses/items.py:_part", responses, {"input": [{"role": "user", "content": [{}]}]},
     "input[0].content[0].type"),
    ("responses/items.py:_unknown", responses, {"input": [{"type": "x"}]}, "input[0].type"),
    ("responses/routes.py:get_response", kept, {"stream": "true"}, "stream"),
    ("anthropic/body.py:chat_body", messages, {"container": "c"}, "container"),
    ("anthropic/body.py:_response_format", messages, {"output_format": {"type": "xml"}},
     "output_config.format.type"),
    ("anthropic/body.py:_tool", messages, {"tools": [SEARCH]}, "tools[0].type"),
    ("ollama/body.py:generate_messages", generated, {"prompt": "x", "context": [1]}, "context"),
    ("anthropic/blocks.py:_image", messages, said({"type": "image"}),
     "messages[0].content[0].source"),
    ("anthropic/blocks.py:_text_of", messages, said({"type": "document"}),
     "messages[0].content[0].type"),
)  # fmt: skip


def venom_none() -> Any:
    return SimpleNamespace(tokens=frozenset())


def places() -> Iterator[str]:
    """Yield where the product refuses a parameter: the file and the function of each raise."""
    found = [*ROOT.glob("plugins/venom_*/venom_*/**/*.py"), *ROOT.glob("venom_core/**/*.py")]
    for path in found:
        if "testing" in path.parts or "UnsupportedParameter" not in (text := path.read_text()):
            continue
        for function in ast.walk(ast.parse(text)):
            if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                for call in ast.walk(function):
                    name = call.func if isinstance(call, ast.Call) else None
                    if isinstance(name, ast.Name) and name.id == "UnsupportedParameter":
                        yield f"{path.parent.name}/{path.name}:{function.name}"


def asked(body: Body, policy: Policy = "warn", left_out: tuple[str, ...] = ()) -> Asked:
    request = ChatRequest("m", dict(body), stream=True, request_id="r")
    origins = {name: "request" for name in body if name != "messages"}
    return Asked(cast(Any, None), request, {**origins, "top_k": "model"}, left_out, policy)


def refused(provoke: Provoke, body: Body) -> VenomError:
    with pytest.raises(InvalidRequest) as caught:
        provoke(body)
    assert caught.value.code == "unsupported_parameter"
    return caught.value


def test_every_refusal_of_a_parameter_is_in_the_table() -> None:
    counted = sorted(places())
    of_a_wire = [where for where, *_ in OF_A_WIRE]
    assert set(counted) == {site.where for site in SITES} | set(BY_POLICY) | set(of_a_wire)
    assert sorted(of_a_wire) == [where for where in counted if where in of_a_wire]
    # A function that refuses more than the table knows has more raises than it has rows.
    for where in set(counted) - set(BY_POLICY) - set(of_a_wire):
        rows = [site for site in SITES if site.where == where]
        assert len(rows) >= counted.count(where), where


@pytest.mark.parametrize("site", SITES, ids=lambda site: f"{site.where}-{site.param}")
def test_what_is_refused_is_left_out_or_stays_refused(site: Site) -> None:
    error = cast(InvalidRequest, refused(site.provoke, site.body))
    assert error.param == site.param
    assert asked(site.body, "strict").without(error) is None
    again = asked(site.body, left_out=("best_of",)).without(error)
    if site.stays:
        assert again is None and not site.left_out
        return
    assert again is not None
    assert (again.request.body, again.left_out) == (site.rest, ("best_of", *site.left_out))
    assert again.origins == {
        **{name: "request" for name in site.rest if name != "messages"}, "top_k": "model",
    }  # fmt: skip
    assert again.without(error) is None  # each field at most once
    site.provoke(again.request.body)  # and without it nobody refuses


@pytest.mark.parametrize(("where", "provoke", "body", "param"), OF_A_WIRE)
def test_words_of_one_wire_are_refused_whatever_the_policy(
    where: str, provoke: Provoke, body: dict[str, Any], param: str
) -> None:
    assert cast(InvalidRequest, refused(provoke, body)).param == param, where


@pytest.mark.parametrize("where", BY_POLICY)
def test_what_the_core_refuses_by_itself_follows_the_policy(where: str) -> None:
    with pytest.raises(UnsupportedParameter):
        BY_POLICY[where]("strict")
    assert BY_POLICY[where]("warn") is True


def test_vectors_of_another_size_are_refused_under_every_policy() -> None:
    for policy in cast("tuple[Policy, ...]", ("strict", "warn")):
        with pytest.raises(UnsupportedParameter):
            check_embedding_parameters({"input": "a", "dimensions": 64}, (), policy, model="m")


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"seed": 1}, None), ({"seed": 1}, "n"), ({"seed": 1}, "seed.x"),
        ({"model": "m"}, "model"), ({"messages": TEXT}, "messages"), ({"stream": True}, "stream"),
        ({"prompt": "a"}, "prompt"), ({"input": "a"}, "input"), ({"dimensions": 2}, "dimensions"),
        ({"stream_options": {}}, "stream_options"), ({"x" * 101: 1}, "x" * 101),
        ({"seed": 1}, "tools[0].function.strict"), ({"tools": None}, "tools[0].function.strict"),
        ({"tools": [TOOL]}, "tools[0].function.strict"), ({"tools": [TOOL]}, "tools[0]"),
        ({"tools": [STRICT]}, "tools[0].function"), ({"tools": [STRICT]}, "tools[0].function.name"),
    ],
)  # fmt: skip
def test_what_is_asked_is_never_left_out(body: Body, param: str | None) -> None:
    assert without_refused(body, param) is None


def test_other_refusals_stand() -> None:
    for code in ("invalid_request_error", "context_length_exceeded", None):
        error = InvalidRequest("No.", code=code, param="seed")
        assert asked({"seed": 1}).without(error) is None


def test_the_retries_are_bounded() -> None:
    body = {f"field{number}": number for number in range(100)}
    one: Asked | None = asked(body)
    retries = -1
    while one is not None:
        retries += 1
        found = one
        one = one.without(UnsupportedParameter("No.", param=f"field{retries}"))
    assert (retries, len(found.left_out)) == (MOST_LEFT_OUT, MOST_LEFT_OUT)
