"""Documents found by the embedded engine's models; the other engines' tests ask the same."""

from __future__ import annotations

from collections.abc import Iterator

import openai
import pytest

from bench.processes import Server
from bench.real_model import DEMONSTRATIONS, models_folder, serving
from tests.engines.retrieval import order_by_list, order_one_by_one
from venom_core.testing.deadlines import patience

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    for model in DEMONSTRATIONS:
        models_folder(model)
    with serving(models_folder()) as server:
        yield server


@pytest.mark.parametrize("model", DEMONSTRATIONS)
def test_documents_are_found_in_one_order_by_list_and_one_by_one(
    server: Server, model: str
) -> None:
    url = f"http://127.0.0.1:{server.port}/v1"
    with openai.OpenAI(base_url=url, api_key="x", max_retries=0, timeout=patience(120)) as client:
        found = order_by_list(client, model)
        assert order_one_by_one(client, model) == found
