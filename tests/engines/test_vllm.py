"""The real vLLM on the processor with the real Gemma and a model that embeds, through ``venom
serve`` and the real ``openai`` client."""

from __future__ import annotations

import contextlib
import json
import random
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import openai
import psutil
import pytest
from prometheus_client.parser import text_string_to_metric_families

from bench.onnx_models import SOURCE, TEXTS, embedding_folder, gemma_snapshot, with_tools
from bench.vllm_models import vllm_env, vllm_python
from tests.engines.retrieval import FOUND, order_by_list, order_one_by_one
from tests.unit.cli.processes import Running, running
from venom_core.testing.deadlines import eventually, patience
from venom_core.testing.questions import KNOWN, NEARLY_EVEN, is_right

# What is missing is fetched and made by the first of them: the engine alone is gigabytes.
pytestmark = pytest.mark.timeout(3600)
GEMMA, EMBEDS = f"vllm://hf.co/{SOURCE}", "vllm://all-minilm"
#: The same weights with a template that has a place for tools.
CALLS = "vllm://gemma-with-tools"
ASKED = {"temperature": 0, "stop": ["\n"], "max_tokens": 48}
CAPITAL = "What is the capital of Poland?"
#: Of the question for Poland's capital by the model's template, as the other engines count them.
PROMPT_TOKENS = 111
CITY: dict[str, Any] = {
    "type": "object",
    "properties": {
        "city": {"type": "string", "maxLength": 20},
        "country": {"enum": ["Poland", "France"]},
    },
    "required": ["city", "country"],
    "additionalProperties": False,
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    home = tmp_path_factory.mktemp("home")
    (home / "places").mkdir()
    (home / "places" / "all-minilm").symlink_to(embedding_folder(), target_is_directory=True)
    try:
        vllm_python()
    except RuntimeError as error:
        pytest.skip(str(error))
    settings = {
        **vllm_env(),
        "VENOM_VLLM__MODEL_PATHS": str(home / "places"),
        "VENOM_VLLM__CONTEXT_LENGTH": "2048",
        "VENOM_VLLM__MAX_LOADED": "1",
    }
    with_tools(gemma_snapshot(), home / "places" / "gemma-with-tools")
    with running(home, "serve", "--port", "0", **settings) as server:
        yield server


@pytest.fixture(scope="module")
def client(server: Running) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(
        base_url=f"{server.url()}/v1", api_key="x", max_retries=0, timeout=patience(600)
    ) as client:
        yield client


def ask(client: openai.OpenAI, question: str, **more: object) -> openai.types.chat.ChatCompletion:
    return client.chat.completions.create(  # type: ignore[call-overload, no-any-return]
        messages=[{"role": "user", "content": question}], **{"model": GEMMA, **ASKED, **more}
    )


def said(answer: openai.types.chat.ChatCompletion) -> str:
    return str(answer.choices[0].message.content)


def engines(server: Running) -> list[psutil.Process]:
    """Return the processes of vLLM."""
    return [one for one in server.descendants() if "venom_vllm" in " ".join(_words(one))]


def _words(process: psutil.Process) -> list[str]:
    with contextlib.suppress(psutil.Error):
        return list(process.cmdline())
    return []


def test_it_knows_the_twelve_questions(client: openai.OpenAI) -> None:
    questions = list(KNOWN)
    random.Random(time.time_ns()).shuffle(questions)
    answers = {question: said(ask(client, question)).strip() for question in questions}
    wrong = {q: answer for q, answer in answers.items() if not is_right(q, answer)}
    assert wrong.items() <= NEARLY_EVEN.items()


def test_an_answer_comes_in_pieces_with_its_usage(client: openai.OpenAI) -> None:
    whole = ask(client, CAPITAL)
    chunks = list(
        client.chat.completions.create(  # type: ignore[call-overload]
            model=GEMMA, messages=[{"role": "user", "content": CAPITAL}],
            stream=True, stream_options={"include_usage": True}, **ASKED,
        )
    )  # fmt: skip
    text = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
    assert text == said(whole)
    assert text.strip() == "Warsaw"
    assert [c.choices[0].finish_reason for c in chunks if c.choices][-1] == "stop"
    assert whole.usage is not None
    assert chunks[-1].usage.prompt_tokens == whole.usage.prompt_tokens == PROMPT_TOKENS
    assert chunks[-1].usage.completion_tokens == whole.usage.completion_tokens
    assert {c.model for c in chunks} == {GEMMA}


def test_an_answer_keeps_to_a_schema(client: openai.OpenAI) -> None:
    form = {"type": "json_schema", "json_schema": {"name": "place", "schema": CITY}}
    found = json.loads(said(ask(client, CAPITAL, response_format=form, stop=None)))
    assert found == {"city": "Warsaw", "country": "Poland"}


def test_a_schema_that_it_cannot_follow_is_named(client: openai.OpenAI) -> None:
    schema = {"type": "array", "items": {"type": "integer"}, "uniqueItems": True}
    form = {"type": "json_schema", "json_schema": {"name": "list", "schema": schema}}
    with pytest.raises(openai.BadRequestError) as refused:
        ask(client, CAPITAL, response_format=form)
    assert refused.value.param == "response_format" and "uniqueItems" in refused.value.message


@pytest.mark.parametrize("choice", ["required", {"type": "function", "function": {"name": "find"}}])
def test_a_tool_that_must_be_called_is(client: openai.OpenAI, choice: Any) -> None:
    tool = {"type": "function", "function": {"name": "find", "parameters": CITY}}
    asked = {"tools": [tool], "tool_choice": choice, "stop": None, "max_tokens": 80}
    answer = ask(client, CAPITAL, model=CALLS, **asked)
    (call,) = answer.choices[0].message.tool_calls or ()
    assert isinstance(call, openai.types.chat.ChatCompletionMessageFunctionToolCall)
    assert call.function.name == "find"
    assert json.loads(call.function.arguments).keys() == {"city", "country"}
    assert answer.choices[0].finish_reason == "tool_calls"


def test_a_prompt_that_is_too_long_is_refused_with_its_numbers(client: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as refused:
        ask(client, "word " * 4000)
    assert refused.value.code == "context_length_exceeded"
    assert "2048 tokens" in refused.value.message and " 41" in refused.value.message


@pytest.mark.parametrize(
    "more",
    [
        {"top_k": 1},
        {"top_p": 0.001},
        {"min_p": 1.0},
        {"repeat_penalty": 1.8},
        {"presence_penalty": 2.0},
        {"frequency_penalty": 2.0},
        {"logit_bias": {"60671": -100}},
    ],
    ids=lambda more: next(iter(more)),
)
def test_a_parameter_changes_the_answer(client: openai.OpenAI, more: dict[str, Any]) -> None:
    body: dict[str, Any] = {"model": GEMMA, "prompt": "The capital of Poland is", "max_tokens": 40}
    if more.keys() & {"top_k", "top_p", "min_p"}:  # these leave nothing to chance
        hot = {**body, "temperature": 2.0, "extra_body": more}
        texts = {client.completions.create(**hot, seed=seed).choices[0].text for seed in range(3)}
        assert len(texts) == 1
        return
    plain = client.completions.create(**body, temperature=0).choices[0].text
    other = client.completions.create(**body, temperature=0, extra_body=more).choices[0].text
    assert other != plain


def test_a_seed_gives_the_same_answer_again(client: openai.OpenAI) -> None:
    hot = {"temperature": 2.0, "max_tokens": 12, "stop": None}
    texts = [said(ask(client, CAPITAL, seed=seed, **hot)) for seed in (7, 7, 8, 9)]
    assert texts[0] == texts[1] and len(set(texts)) > 1


def test_choices_logprobs_echo_and_many_stop_strings(client: openai.OpenAI) -> None:
    hot = ask(client, CAPITAL, n=3, temperature=2, stop=None, max_tokens=6)
    assert [one.index for one in hot.choices] == [0, 1, 2]
    answer = ask(client, CAPITAL, n=2, logprobs=True, top_logprobs=2)
    assert [one.message.content for one in answer.choices] == [" Warsaw", " Warsaw"]
    logprobs = answer.choices[1].logprobs
    assert logprobs is not None and logprobs.content is not None
    assert logprobs.content[0].token == " Warsaw" and len(logprobs.content[0].top_logprobs) == 2
    text = "The capital of Poland is"
    echoed = client.completions.create(
        model=GEMMA, prompt=text, echo=True, max_tokens=2, temperature=0
    )
    assert echoed.choices[0].text == f"{text} Warsaw."
    cut = ask(client, CAPITAL, stop=[*map(str, range(20)), "rsa"])
    assert (said(cut).strip(), cut.choices[0].finish_reason) == ("Wa", "stop")
    short = ask(client, CAPITAL, max_tokens=100_000)
    assert said(short).strip() == "Warsaw"


def test_a_client_that_goes_away_ends_its_answer(server: Running, client: openai.OpenAI) -> None:
    with client.completions.create(
        model=GEMMA, prompt="Once upon a time", max_tokens=1900, stream=True, temperature=1
    ) as stream:
        next(iter(stream))
        assert running_requests(server) == 1
    assert eventually(lambda: running_requests(server) == 0, 30)


def running_requests(server: Running) -> int:
    """Return how many requests vLLM works on, by its own count, which nobody else may read."""
    port, key = _address(server)
    with pytest.raises(httpx.HTTPStatusError):
        httpx.get(f"http://127.0.0.1:{port}/metrics").raise_for_status()
    told = httpx.get(
        f"http://127.0.0.1:{port}/metrics", headers={"Authorization": f"Bearer {key}"}
    ).raise_for_status()
    lines = [
        line for line in told.text.splitlines() if line.startswith("vllm:num_requests_running")
    ]
    return round(sum(float(line.split()[-1]) for line in lines))


def _address(server: Running) -> tuple[str, str]:
    for process in engines(server):
        found = process.environ()
        if "VENOM_ENGINE_PORT" in found:
            return found["VENOM_ENGINE_PORT"], found["VENOM_ENGINE_KEY"]
    raise AssertionError("no engine runs")


def test_a_start_says_how_far_it_is(server: Running, client: openai.OpenAI) -> None:
    api = httpx.Client(base_url=server.record["url"], timeout=patience(600))
    with api, ThreadPoolExecutor(1) as pool:
        api.post(f"/api/v1/models/{EMBEDS}/unload").raise_for_status()
        loading = pool.submit(api.post, f"/api/v1/models/{EMBEDS}/load")
        told: set[str] = set()
        while not loading.done():
            for engine in api.get("/api/v1/engines").json()["engines"]:
                if engine["reference"] == EMBEDS and engine["progress"]:
                    assert engine["state"] == "starting" and engine["pid"]
                    told.add(engine["progress"].partition(":")[0])
            time.sleep(0.05)
        loading.result().raise_for_status()
    assert {"starting vLLM", "loading the weights"} <= told


def test_its_metrics_are_among_ours(server: Running, client: openai.OpenAI) -> None:
    ask(client, CAPITAL)
    told = httpx.get(f"{server.record['url']}/metrics").raise_for_status().text
    families = {family.name: family for family in text_string_to_metric_families(told)}
    done = [
        sample
        for sample in families["vllm:generation_tokens"].samples
        if sample.labels["model"] == GEMMA.removeprefix("vllm://")
    ]
    assert done and done[0].labels["provider"] == "vllm" and done[0].value >= 1
    assert {name.partition(":")[0] for name in families if not name.startswith("venom_")} == {
        "vllm"
    }


def test_a_worker_that_was_killed_is_started_again(server: Running, client: openai.OpenAI) -> None:
    ask(client, CAPITAL)
    killed = {one.pid for one in server.descendants()}
    for process in engines(server):
        for one in (process, *process.children(recursive=True)):
            with contextlib.suppress(psutil.NoSuchProcess):
                one.kill()
    assert said(ask(client, CAPITAL)).strip() == "Warsaw"
    assert not {one.pid for one in engines(server)} & killed


def test_a_text_has_one_vector_alone_and_among_others(client: openai.OpenAI) -> None:
    alone = [embed(client, text)[0] for text in TEXTS]
    assert [len(one) for one in alone] == [384] * len(TEXTS)
    for together in (TEXTS, TEXTS[::-1]):
        found = dict(zip(together, embed(client, *together), strict=True))
        assert farthest([found[text] for text in TEXTS], alone) < 1e-5
    assert all(abs(sum(x * x for x in one) - 1) < 1e-4 for one in alone)


def test_documents_are_found_in_one_order_by_list_and_one_by_one(client: openai.OpenAI) -> None:
    found = order_by_list(client, EMBEDS)
    assert order_one_by_one(client, EMBEDS) == found
    assert found[0] == FOUND


def embed(client: openai.OpenAI, *texts: str) -> list[list[float]]:
    return [one.embedding for one in client.embeddings.create(model=EMBEDS, input=texts).data]


def farthest(these: list[list[float]], those: list[list[float]]) -> float:
    """Return the greatest difference of two numbers in the same place."""
    pairs = zip(these, those, strict=True)
    return max(abs(a - b) for one, other in pairs for a, b in zip(one, other, strict=True))


def test_nothing_is_left_when_it_ends(
    server: Running, client: openai.OpenAI, tmp_path: Path
) -> None:
    ask(client, CAPITAL)
    there = server.descendants()
    assert engines(server)
    assert server.end(timeout=60) == 0
    assert eventually(lambda: not [one for one in there if one.is_running()], 10)
