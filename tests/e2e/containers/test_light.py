"""`compose.minimal.yml` on a bare machine: an address is printed, and "hi" gets a sentence."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from acts import expect, finished, send
from project import Project, answer

from venom_core.testing.deadlines import eventually, patience

if TYPE_CHECKING:
    from acts import OpenWindow

GEMMA = "llamacpp://gemma3-270m-base"
#: Seconds for both models, of an index that is not far.
FETCHED = 150


@pytest.fixture(scope="module")
def light(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    with Project("minimal", tmp_path_factory.mktemp("light")) as project:
        yield project


def has_models(light: Project) -> bool:
    with light.client() as client:
        return client.get("/api/v1/models").json()["count"] == 2


@pytest.mark.timeout(300)
def test_through_the_printed_address_hi_gets_a_sentence(
    light: Project, open_window: OpenWindow
) -> None:
    [link] = light.sign_in_links()
    page = open_window(link)
    # The models are on their way; the page goes on by itself when the first is there.
    model = page.get_by_role("button", name=re.compile("^Model: "))
    expect(model).to_be_enabled(timeout=patience(FETCHED) * 1000)
    said = finished(send(page, "hi"), patience(60)).get_by_test_id("answer-text")
    expect(said).to_have_text(re.compile(r"\w+\W+\w+.*[.!?]"))
    assert link.partition("#")[2] not in page.url


@pytest.mark.timeout(300)
def test_a_chat_on_gemma_3_without_onnx(light: Project) -> None:
    assert eventually(lambda: has_models(light), FETCHED), light.logs()
    with light.client() as client:
        said = answer(client, "What is the capital of Poland?", model=GEMMA)
    assert said.strip() == "Warsaw"
    found = "import importlib.util as u; print([n for n in {} if u.find_spec(n)])"
    assert light.python(found.format(["onnxruntime", "torch", "docker", "vllm"])) == "[]"
