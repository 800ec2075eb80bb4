"""`venom[onnx]` by itself is a working product: no other plugin of ours, and it answers."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from tools.measure_install import bare_environment, install, python_of
from venom_core.testing.deadlines import patience
from venom_core.testing.onnx import write_decoder

BROUGHT = {"onnxruntime", "onnxruntime_genai", "numpy", "tokenizers", "jinja2"}


def test_onnx_alone_lists_and_answers(tmp_path: Path) -> None:
    folder = tmp_path / "environment"
    installed = install("venom[onnx]", folder)
    assert {one for one in installed.names if one.startswith("venom")} == {"venom", "venom_onnx"}
    assert {name.lower() for name in installed.names} >= BROUGHT
    write_decoder(tmp_path / "models/tiny", {"?": ["Warsaw", " it is"]})
    environment = {
        **bare_environment(),
        "VENOM_HOME": str(tmp_path / "home"),
        "VENOM_ONNX__MODEL_PATHS": str(tmp_path / "models"),
    }

    def venom(*arguments: str) -> str:
        done = subprocess.run(
            [str(python_of(folder).with_name("venom")), *arguments],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=patience(120),
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    models = json.loads(venom("list", "--json"))
    assert "tiny" in json.dumps(models)
    answer = venom("run", "onnx://tiny", "What is the capital of Poland?", "--json")
    assert "Warsaw it is" in answer
