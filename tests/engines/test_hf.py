"""A real Gemma 3 and a real model that embeds as folders that transformers runs, through ``venom
serve`` and the real ``openai`` client."""

from __future__ import annotations

import json
import random
import shutil
import time
from collections.abc import Iterator

import openai
import psutil
import pytest

from bench.onnx_models import HOME, SOURCE, TEXTS, around, embedding_folder, hub_folder
from tests.engines.retrieval import FOUND, order_by_list, order_one_by_one
from tests.engines.test_onnx import farthest
from tests.unit.cli.processes import Running, running
from venom_core.testing.deadlines import patience
from venom_core.testing.questions import KNOWN, NEARLY_EVEN, is_right

# What is missing is fetched and made by the first of them.
pytestmark = pytest.mark.timeout(1500)
GEMMA, EMBEDS = f"hf://{SOURCE}", "hf://all-minilm"
ASKED = {"temperature": 0, "stop": ["\n"], "max_tokens": 48}
PROMPT_TOKENS = 111  # as llama.cpp and ONNX Runtime count them


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    home = tmp_path_factory.mktemp("home")
    hub_folder()
    (home / "providers").mkdir()
    (home / "providers" / "hf").symlink_to(HOME / "providers" / "hf", target_is_directory=True)
    shutil.copytree(embedding_folder(), home / "folders" / "all-minilm")
    places = {"VENOM_HF__MODEL_PATHS": str(home / "folders"), **around()}
    with running(home, "serve", "--port", "0", **places) as server:
        yield server


@pytest.fixture(scope="module")
def client(server: Running) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(
        base_url=f"{server.url()}/v1", api_key="x", max_retries=0, timeout=patience(180)
    ) as client:
        yield client


def ask(client: openai.OpenAI, question: str, **more: object) -> openai.types.chat.ChatCompletion:
    return client.chat.completions.create(  # type: ignore[call-overload, no-any-return]
        model=GEMMA, messages=[{"role": "user", "content": question}], **{**ASKED, **more}
    )


def said(answer: openai.types.chat.ChatCompletion) -> str:
    return str(answer.choices[0].message.content)


def test_it_knows_the_twelve_questions(client: openai.OpenAI) -> None:
    questions = list(KNOWN)
    random.Random(time.time_ns()).shuffle(questions)
    answers = {question: said(ask(client, question)).strip() for question in questions}
    wrong = {q: answer for q, answer in answers.items() if not is_right(q, answer)}
    assert wrong.items() <= NEARLY_EVEN.items()


def test_an_answer_comes_in_pieces_with_its_usage(client: openai.OpenAI) -> None:
    whole = ask(client, "What is the capital of Poland?")
    chunks = list(
        client.chat.completions.create(  # type: ignore[call-overload]
            model=GEMMA, messages=[{"role": "user", "content": "What is the capital of Poland?"}],
            stream=True, stream_options={"include_usage": True}, **ASKED,
        )
    )  # fmt: skip
    assert "".join(c.choices[0].delta.content or "" for c in chunks if c.choices) == said(whole)
    assert [c.choices[0].finish_reason for c in chunks if c.choices][-1] == "stop"
    assert chunks[-1].usage == whole.usage
    assert whole.usage is not None
    assert whole.usage.prompt_tokens == PROMPT_TOKENS


def test_an_answer_keeps_to_a_schema(client: openai.OpenAI) -> None:
    schema = {
        "type": "object", "additionalProperties": False, "required": ["city"],
        "properties": {"city": {"enum": ["Warsaw", "Berlin"]}},
    }  # fmt: skip
    form = {"type": "json_schema", "json_schema": {"name": "city", "schema": schema}}
    answer = ask(client, "What is the capital of Poland?", response_format=form, stop=None)
    assert json.loads(said(answer)) == {"city": "Warsaw"}


@pytest.mark.parametrize("schema", [{"type": "nothing"}, {"$ref": "#/no/such"}])
def test_a_schema_that_cannot_be_followed_is_refused(client: openai.OpenAI, schema: object) -> None:
    form = {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}
    with pytest.raises(openai.BadRequestError) as refused:
        ask(client, "Hi", response_format=form)
    assert "response_format" in str(refused.value.param)


def test_a_prompt_that_is_too_long_is_refused(client: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as refused:
        ask(client, "word " * 6000)
    assert refused.value.code == "context_length_exceeded"


def test_an_engine_that_was_killed_is_started_again(server: Running, client: openai.OpenAI) -> None:
    assert said(ask(client, "What is the capital of Poland?")).strip() == "Warsaw"
    engines = [
        process
        for process in psutil.Process(server.process.pid).children(recursive=True)
        if any("venom_hf.engine" in word for word in process.cmdline())
    ]
    assert engines
    for process in engines:
        process.kill()
    psutil.wait_procs(engines, timeout=patience(30))
    assert said(ask(client, "What is the capital of Poland?")).strip() == "Warsaw"


def test_a_text_has_one_vector_alone_and_among_others(client: openai.OpenAI) -> None:
    alone = [embed(client, text)[0] for text in TEXTS]
    assert [len(one) for one in alone] == [384] * len(TEXTS)
    for together in (TEXTS, TEXTS[::-1]):
        found = dict(zip(together, embed(client, *together), strict=True))
        assert farthest([found[text] for text in TEXTS], alone) < 1e-5


def test_alike_texts_have_alike_vectors(client: openai.OpenAI) -> None:
    cat, dog, airplane = embed(client, *TEXTS[1:4])
    assert cosine(cat, dog) > cosine(cat, airplane) + 0.2


def test_documents_are_found_in_one_order_by_list_and_one_by_one(client: openai.OpenAI) -> None:
    found = order_by_list(client, EMBEDS)
    assert order_one_by_one(client, EMBEDS) == found
    assert found[0] == FOUND


def embed(client: openai.OpenAI, *texts: str) -> list[list[float]]:
    return [one.embedding for one in client.embeddings.create(model=EMBEDS, input=texts).data]


def cosine(one: list[float], other: list[float]) -> float:
    return sum(a * b for a, b in zip(one, other, strict=True))


def test_no_name_tells_a_path(client: openai.OpenAI) -> None:
    listed = {model.id for model in client.models.list().data}
    assert {"all-minilm", SOURCE} <= {name.removeprefix("hf://") for name in listed}
    assert not any(str(HOME) in name for name in listed)
