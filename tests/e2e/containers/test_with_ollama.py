"""The light image, which has no engine, with an Ollama beside it: `--profile ollama`.

SMOKE_OLLAMA=real starts the real image; else a stand-in takes its place and says that it is one.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import own_index
import pytest
from project import Project, answer

from tools.containers.images import tag_of
from venom_core.testing.deadlines import eventually

# Read at import: each test runs with an environment of its own.
REAL = os.environ.get("SMOKE_OLLAMA") == "real"
STAND_IN, HELD = "localhost/ollama-stand-in", "gemma3:270m-base-stand-in"
FETCHED = 900 if REAL else 150


def _stand_in() -> dict[str, Any]:
    folder = str(Path(__file__).parent / "ollama")
    command = ["buildah", "build", "--isolation", "chroot", "--tag", STAND_IN, folder]
    subprocess.run(command, capture_output=True, check=True)
    settings = {"environment": own_index.settings(), "volumes": own_index.volumes()}
    # Its image has a volume there, which nobody would remove.
    stands_in = {"image": STAND_IN, "tmpfs": ["/data"]}
    pull = {**stands_in, "depends_on": {"ollama": {"condition": "service_started"}}}
    return {"ollama": {**stands_in, **settings}, "ollama-pull": pull}


@pytest.fixture(scope="module")
def light(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    override = {"venom": {"image": tag_of("venom-backend-light")}, **({} if REAL else _stand_in())}
    env = {"VENOM_FIRST_MODELS": ""} | ({} if REAL else {"OLLAMA_PULL": HELD})
    folder = tmp_path_factory.mktemp("ollama")
    with Project("minimal", folder, override=override, profile="ollama", **env) as project:
        yield project


def has_model(light: Project) -> bool:
    with light.client() as client:
        return client.get("/api/v1/models").json()["count"] > 0


@pytest.mark.timeout(1200 if REAL else 300)
def test_gemma_3_answers_through_ollama_where_no_engine_is(light: Project) -> None:
    assert eventually(lambda: has_model(light), FETCHED), light.logs("ollama-pull")
    with light.client() as client:
        assert "Warsaw" in answer(client, "What is the capital of Poland?")
        [model] = client.get("/api/v1/models").json()["models"]
        assert model["provider"] == "ollama" and model["name"].startswith("gemma3:")
        assert client.get("/readyz").json()["status"] == "ready"


def test_the_light_image_has_no_engine_no_pip_and_nothing_of_docker(light: Project) -> None:
    names = ["xllamacpp", "onnxruntime", "torch", "transformers", "vllm", "docker", "pip", "numpy"]
    found = f"import importlib.util as u; print([n for n in {names} if u.find_spec(n)])"
    assert light.python(found) == "[]"
    programs = "import shutil; print([shutil.which(n) for n in ('docker', 'podman', 'dockerd')])"
    assert light.python(programs) == "[None, None, None]"
    sockets = "import pathlib; print(list(pathlib.Path('/run').rglob('*.sock')))"
    assert light.python(sockets) == "[]"
