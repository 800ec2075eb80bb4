"""`venom plugins check --all` over what is installed here: each plugin with its real engine, where
there is one."""

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
    done = venom(home, "plugins", "check", "--all", "--json", timeout=patience(600))
    assert done.returncode == 0, done.stdout + done.stderr
    found: dict[str, list[str]] = {}
    for check in json.loads(done.stdout)["plugins"]:
        assert check["certified"], check
        assert any(rule["outcome"] == "passed" for rule in check["rules"]), check["id"]
        found.setdefault(check["id"], []).append(check["engine"])
    assert {name: found.get(name) for name in ENGINES} == ENGINES
