"""`venom plugins check` over what is installed here: each plugin with its real engine, where there
is one. vLLM's is for whoever has its environment: tests/engines/test_vllm.py."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench.onnx_models import HOME, hub_folder
from tests.unit.cli.processes import home_with_models, venom
from venom_core.testing.deadlines import patience

pytestmark = pytest.mark.timeout(1200)
#: Plugin -> how what answered is called, in each of its examinations.
ENGINES = {
    "llamacpp": ["real llama.cpp, with smollm2:135m"],
    "onnx": ["real onnxruntime-genai, with tiny models"],
    "hf": [
        "fake Hugging Face Hub, through the real huggingface_hub",
        "real transformers, with tiny models",
    ],
    "ollama": ["records of Ollama 0.24.0", "exchanges of Ollama 0.32.15"],
}


def test_every_plugin_is_certified_with_the_engine_that_it_has(tmp_path: Path) -> None:
    home = home_with_models(tmp_path / "home")
    hub_folder()
    (home / "providers").mkdir(exist_ok=True)
    (home / "providers" / "hf").symlink_to(HOME / "providers" / "hf", target_is_directory=True)
    found: dict[str, list[str]] = {}
    for name in ENGINES:
        done = venom(home, "plugins", "check", name, "--json", timeout=patience(400))
        assert done.returncode == 0, done.stdout + done.stderr
        for check in json.loads(done.stdout)["plugins"]:
            assert check["certified"], check
            assert any(rule["outcome"] == "passed" for rule in check["rules"]), check["id"]
            found.setdefault(check["id"], []).append(check["engine"])
    assert found == ENGINES
    done = venom(home, "plugins", "check", "remote", "--json", timeout=patience(300))
    assert done.returncode == 0, done.stdout + done.stderr
