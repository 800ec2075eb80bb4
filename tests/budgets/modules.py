"""The imports of a program, seen from outside, in a process of its own, every plugin installed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from collections.abc import Iterable

from venom_core.testing.deadlines import patience

HEAVY = {
    "docker", "huggingface_hub", "numpy", "onnx", "onnxruntime", "onnxruntime_genai", "ray",
    "torch", "transformers", "vllm", "xllamacpp",
}  # fmt: skip

REPORT = """
import json as _json, sys as _sys
print("MODULES", _json.dumps(sorted(_sys.modules)))
"""


def imported_by(code: str, **environment: str) -> set[str]:
    """Every module that is there after some code has run.

    Raises:
        AssertionError: the code failed; its own error is in the message.
    """
    program = textwrap.dedent(code) + REPORT
    done = subprocess.run(
        [sys.executable, "-c", program], env={**os.environ, **environment},
        capture_output=True, text=True, timeout=patience(60), check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    lines = [line for line in done.stdout.splitlines() if line.startswith("MODULES ")]
    return set(json.loads(lines[-1].removeprefix("MODULES ")))


def third_party(modules: Iterable[str]) -> set[str]:
    """The top-level names that are neither Python's nor ours."""
    tops = {name.split(".")[0] for name in modules}
    known = sys.stdlib_module_names | {"__main__"}
    ours = {name for name in tops if name.split("_")[0] == "venom"}
    start_up = third_party_at_start() if tops - known - ours else set()
    # Python's own module of build variables carries the platform in its name.
    return {name for name in tops - known - ours - start_up if "_sysconfigdata" not in name}


def third_party_at_start() -> set[str]:
    """Return what an empty program has already: .pth files of the environment, not ours to answer
    for."""
    program = "import json, sys; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        timeout=patience(60),
        check=True,
    )
    return {name.split(".")[0] for name in json.loads(done.stdout)}


def how_to_look(what: str, code: str) -> str:
    """The end of a failure's message: how to find who imports it."""
    return (
        f"{what}. To see who imports it: python -X importtime -c '{code}' 2>&1 | less; make the"
        " import lazy (inside the function that needs it), or, where it is needed at start, allow"
        " it in this test and say why in the commit."
    )
