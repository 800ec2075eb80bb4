"""A source brings the files, a runtime runs them: a real model from a fake Hub, through the real
Hugging Face client, on the real engine."""

from __future__ import annotations

import json
from pathlib import Path

from tests.unit.cli.processes import TEST_HOME, home_with_models, venom
from venom_core.testing.hub import FakeHub

REF = "hf://org/SmolLM2-GGUF:Q4_1"


def test_what_hugging_face_brought_chats(tmp_path: Path) -> None:
    home_with_models(tmp_path / "with-models")
    weights = next((TEST_HOME / "models" / "llamacpp").glob("smollm2*.gguf")).read_bytes()
    home = tmp_path / "home"
    with FakeHub() as hub:
        hub.add("org/SmolLM2-GGUF", {"SmolLM2.Q4_1.gguf": weights})
        env = {"HF_ENDPOINT": hub.url, "HF_HUB_CACHE": str(tmp_path / "hub")}
        pulled = venom(home, "pull", REF, **env)
        assert pulled.returncode == 0, pulled.stderr
        listed = json.loads(venom(home, "list", "--json", **env).stdout)["models"]
        grouped = {item["reference"]: (item["source"], item["runtimes"]) for item in listed}
        runtime = "llamacpp://hf.co/org/SmolLM2-GGUF:Q4_1"
        assert grouped == {REF: ("hf", ["llamacpp"]), runtime: ("hf", ["llamacpp"])}
        # Unbounded, so small a model may ramble on to the end of its context.
        short = ("--set", "max_tokens=24", "--set", "temperature=0")
        said = json.loads(venom(home, "run", "--json", *short, REF, "hi", **env).stdout)
        assert f"{said['provider']}://{said['model']}" == runtime
        assert len(said["content"].split()) > 2
        removed = venom(home, "rm", "--yes", REF, **env)
        assert removed.returncode == 0, removed.stderr
        assert json.loads(venom(home, "list", "--json", **env).stdout)["models"] == []
    assert not [path for path in (tmp_path / "hub").rglob("*") if path.stat().st_size > 10**6]
