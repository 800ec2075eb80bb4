"""Real models as ONNX, made here from a folder of the Hugging Face form, through ``venom serve``
and the real ``openai`` client."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator

import openai
import pytest

from bench.onnx_models import EMBEDDING, GEMMA_INT8, TEXTS, around, embedding_vectors, onnx_folder
from tests.engines.retrieval import FOUND, order_by_list, order_one_by_one
from tests.unit.cli.processes import running
from venom_core.testing.deadlines import patience
from venom_core.testing.questions import KNOWN, NEARLY_EVEN, is_right

# What is missing is fetched and built by the first of them.
pytestmark = pytest.mark.timeout(1500)
GEMMA, EMBEDS = f"onnx://{GEMMA_INT8}", f"onnx://{EMBEDDING}"
ASKED = {"temperature": 0, "stop": ["\n"], "max_tokens": 48}
#: Of the question for Poland's capital by the model's template, as llama.cpp counts them: one
#: `<bos>`, and every word as it was learnt.
PROMPT_TOKENS = 111


@pytest.fixture(scope="module")
def vectors() -> list[list[float]]:
    """Vectors of :data:`TEXTS` as transformers computes them."""
    return embedding_vectors()


@pytest.fixture(scope="module")
def client(
    vectors: list[list[float]], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[openai.OpenAI]:
    home = tmp_path_factory.mktemp("home")
    (home / "models").symlink_to(onnx_folder(), target_is_directory=True)
    with (
        running(home, "serve", "--port", "0", **around()) as server,
        openai.OpenAI(
            base_url=f"{server.url()}/v1", api_key="x", max_retries=0, timeout=patience(120)
        ) as client,
    ):
        yield client


def ask(client: openai.OpenAI, question: str, **more: object) -> openai.types.chat.ChatCompletion:
    return client.chat.completions.create(  # type: ignore[call-overload, no-any-return]
        model=GEMMA, messages=[{"role": "user", "content": question}], **{**ASKED, **more}
    )


def said(answer: openai.types.chat.ChatCompletion) -> str:
    return str(answer.choices[0].message.content)


def test_a_built_model_knows_the_twelve_questions(client: openai.OpenAI) -> None:
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
    text = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
    assert text == said(whole)
    assert text.strip() == "Warsaw"
    assert [c.choices[0].finish_reason for c in chunks if c.choices][-1] == "stop"
    assert chunks[-1].usage == whole.usage
    assert whole.usage is not None
    assert whole.usage.prompt_tokens == PROMPT_TOKENS
    assert {c.model for c in chunks} == {GEMMA}


def test_a_stop_within_a_token_and_a_limit_end_an_answer(client: openai.OpenAI) -> None:
    cut = ask(client, "What is the capital of Poland?", stop=["rsa"])
    assert (said(cut).strip(), cut.choices[0].finish_reason) == ("Wa", "stop")
    short = ask(client, "What is the capital of Poland?", max_tokens=1)
    assert (said(short).strip(), short.choices[0].finish_reason) == ("Warsaw", "length")
    assert short.usage is not None
    assert short.usage.completion_tokens == 1


def test_text_is_gone_on_with(client: openai.OpenAI) -> None:
    text = "The capital of Poland is"
    answer = client.completions.create(model=GEMMA, prompt=text, max_tokens=4, temperature=0)
    assert answer.choices[0].text.startswith(" Warsaw")


def test_vectors_are_those_of_transformers(
    client: openai.OpenAI, vectors: list[list[float]]
) -> None:
    together = embed(client, *TEXTS)
    assert [len(one) for one in together] == [384] * len(TEXTS)
    assert farthest(together, vectors) < 5e-4


def test_a_text_has_one_vector_alone_and_among_others(client: openai.OpenAI) -> None:
    alone = [embed(client, text)[0] for text in TEXTS]
    for together in (TEXTS, TEXTS[::-1]):
        found = dict(zip(together, embed(client, *together), strict=True))
        assert farthest([found[text] for text in TEXTS], alone) < 1e-5


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
