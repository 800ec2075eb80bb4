"""`compose.llm_off.yml`: no model, everything else, and a key out of a file."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

import httpx
import pytest
from project import Project


@pytest.fixture(scope="module")
def key() -> str:
    return secrets.token_hex(32)


@pytest.fixture(scope="module")
def off(key: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    folder = tmp_path_factory.mktemp("secrets")
    (folder / "api-key").write_text(f"{key}\n", encoding="utf-8")
    folder.chmod(0o711)  # the user of the container has to get at the file
    with Project("llm_off", folder, VENOM_SECRETS=str(folder)) as project:
        yield project


def test_questions_are_refused_and_lists_are_not(off: Project, key: str) -> None:
    body = {"model": "gemma3", "messages": [{"role": "user", "content": "hi"}]}
    with off.client(key) as client:
        refused = client.post("/v1/chat/completions", json=body)
        assert refused.status_code == 503 and refused.json()["error"]["code"] == "llm_off"
        for path in (
            "/",
            "/healthz",
            "/v1/models",
            "/api/v1/models",
            "/api/v1/usage/summary",
            "/readyz",
        ):
            assert client.get(path).status_code == 200, path


def test_the_key_is_the_one_in_the_file_and_nothing_shows_it(off: Project, key: str) -> None:
    assert httpx.get(f"{off.url}/v1/models").status_code == 401
    assert off.sign_in_links() == []
    shown = off.logs() + off.podman("inspect", off.container()).stdout
    assert key not in shown
