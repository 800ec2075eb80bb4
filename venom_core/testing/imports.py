"""The imports of a program, seen from outside, in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from collections.abc import Iterable
from typing import Any

from venom_core.testing.deadlines import patience

#: Libraries that no manifest, provider or core module may bring: an engine's are in its process.
HEAVY = frozenset(
    {
        "docker", "huggingface_hub", "jinja2", "numpy", "onnx", "onnxruntime", "onnxruntime_genai",
        "ray", "tokenizers", "torch", "transformers", "vllm", "xllamacpp",
    }
)  # fmt: skip

_REPORT = """
import json as _json, sys as _sys
print("MODULES", _json.dumps(sorted(_sys.modules)))
"""


def imported_by(code: str, **environment: str) -> set[str]:
    """Return every module that is there after some code has run.

    Raises:
        AssertionError: the code failed; its own error is in the message.
    """
    return set(printed_by(textwrap.dedent(code) + _REPORT, "MODULES", **environment))


def printed_by(program: str, word: str, **environment: str) -> Any:
    """Return the JSON behind a word on the last line that begins with it.

    Raises:
        AssertionError: the program failed; its own error is in the message.
    """
    done = subprocess.run(
        [sys.executable, "-c", program], env={**os.environ, **environment},
        capture_output=True, text=True, timeout=patience(60), check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    lines = [line for line in done.stdout.splitlines() if line.startswith(f"{word} ")]
    return json.loads(lines[-1].removeprefix(f"{word} "))


def third_party(modules: Iterable[str]) -> set[str]:
    """Return the top-level names that are neither Python's nor ours."""
    tops = {name.split(".")[0] for name in modules}
    known = sys.stdlib_module_names | {"__main__"}
    ours = {name for name in tops if name.split("_")[0] == "venom"}
    start_up = third_party_at_start() if tops - known - ours else set()
    # Python's own module of build variables carries the platform in its name.
    return {name for name in tops - known - ours - start_up if "_sysconfigdata" not in name}


def third_party_at_start() -> set[str]:
    """Return what an empty program has already: .pth files of the environment, not ours to answer
    for."""
    return {name.split(".")[0] for name in imported_by("")}
