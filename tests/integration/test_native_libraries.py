"""The server's process maps no engine, with every engine of the release installed and used."""

from __future__ import annotations

import json
import sys
import urllib.request
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.unit.cli.processes import home_with_models, running
from venom_core.testing.deadlines import patience
from venom_core.testing.onnx import write_decoder, write_encoder

if sys.platform != "linux":
    pytest.skip("what a process maps is read from /proc", allow_module_level=True)

ENGINES = ("onnxruntime", "onnxruntime_genai", "numpy", "xllamacpp", "tokenizers")


def post(url: str, path: str, body: dict[str, Any]) -> Any:
    request = urllib.request.Request(
        f"{url}{path}", json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=patience(120)) as answer:
        return json.load(answer)


def mapped(pid: int) -> set[str]:
    """Return which engines' files a process has in its memory."""
    maps = Path(f"/proc/{pid}/maps").read_text()
    return {name for name in ENGINES if f"/{name}/" in maps}


@pytest.mark.timeout(600)
def test_engines_are_in_processes_of_their_own(tmp_path: Path) -> None:
    home = home_with_models(tmp_path / "home")
    write_decoder(tmp_path / "models/tiny", {"?": ["Warsaw", " it is"]})
    write_encoder(tmp_path / "models/vectors", [[1.0, float(token)] for token in range(258)])
    places = {"VENOM_ONNX__MODEL_PATHS": str(tmp_path / "models")}
    messages = [{"role": "user", "content": "What is the capital of Poland?"}]
    with running(home, "serve", "--port", "0", **places) as server:
        url = server.url()
        for model, said in (("onnx://tiny", "Warsaw it is"), ("llamacpp://smollm2:135m", "Warsaw")):
            body = {"model": model, "messages": messages, "max_tokens": 20}
            answer = post(url, "/v1/chat/completions", body)
            assert said in answer["choices"][0]["message"]["content"]
        vectors = post(url, "/v1/embeddings", {"model": "onnx://vectors", "input": "a"})
        assert len(vectors["data"][0]["embedding"]) == 2
        engines = [mapped(one.pid) for one in psutil.Process(server.process.pid).children(True)]
        assert set().union(*engines) == set(ENGINES), "or nothing is proved by the next line"
        assert mapped(server.process.pid) == set()
