"""`compose.onnx.yml`: the image that has ONNX Runtime, started as its users start it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from project import Project


@pytest.fixture(scope="module")
def onnx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    with Project("onnx", tmp_path_factory.mktemp("onnx")) as project:
        yield project


def test_onnx_runtime_is_there_and_its_provider_is_ready(onnx: Project) -> None:
    assert onnx.python("import onnxruntime_genai as g; print(bool(g.__version__))") == "True"
    with onnx.client() as client:
        listed = {one["id"]: one for one in client.get("/api/v1/plugins").json()["plugins"]}
        assert listed["onnx"]["state"] == "loaded", listed["onnx"]
        providers = client.get("/api/v1/overview").json()["providers"]
        [found] = [one for one in providers if one["name"] == "onnx"]
        assert found["status"] == "ready", found
    assert len(onnx.sign_in_links()) == 1
