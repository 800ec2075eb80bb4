"""The script that builds, with small packages in the place of torch and onnxruntime-genai."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from venom_core.testing.deadlines import patience
from venom_onnx import build_child

BUILDER = """
import os
def parse_extra_options(name, source, target, precision, provider, cache, options):
    return {"options": options}
def create_model(name, source, target, precision, provider, cache, **options):
    from builders.gemma import Gemma3Model
    with open(os.path.join(os.path.dirname(target), "made"), "a") as file:
        file.write(repr((os.path.basename(source), precision, provider, options)) + "\\n")
    os.makedirs(target)
    WHAT
"""
RUNTIME = """
class Model:
    def __init__(self, folder): self.folder = folder
class Tokenizer:
    def __init__(self, model): pass
    def encode(self, text): return [1, 2, 3]
class GeneratorParams:
    def __init__(self, model): pass
    def set_search_options(self, **options): assert options["max_length"] >= 512
class Generator:
    def __init__(self, model, options): pass
    def append_tokens(self, tokens): pass
    def generate_next_token(self): TRY
    def get_next_tokens(self): return [4]
"""


@pytest.fixture
def work(tmp_path: Path) -> Path:
    (tmp_path / "work/source").mkdir(parents=True)
    return tmp_path / "work"


def run(work: Path, what: str = "pass", trying: str = "pass", provider: str = "cpu") -> int:
    """Run the script beside packages that do ``what`` while building, and ``trying`` while the
    result is tried; return its exit code."""
    package = work.parent / "site/onnxruntime_genai"
    (package / "models/builders").mkdir(parents=True, exist_ok=True)
    (package / "__init__.py").write_text(RUNTIME.replace("TRY", trying))
    (package / "models/builder.py").write_text(BUILDER.replace("WHAT", what))
    (package / "models/builders/__init__.py").touch()
    (package / "models/builders/gemma.py").write_text("class Gemma3Model:\n    pass\n")
    done = subprocess.run(
        [sys.executable, build_child.__file__, str(work), "int8", provider],
        env=os.environ | {"PYTHONPATH": str(package.parent), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        timeout=patience(30),
    )
    return done.returncode


def test_it_builds_and_tries_and_passes_over_what_is_done(work: Path) -> None:
    assert run(work) == build_child.OK
    assert (work / "model").is_dir() and (work / "tried").is_file()
    made = (work / "made").read_text()
    assert made == "('source', 'int8', 'cpu', {'options': ['hf_remote=false']})\n"
    (work / "tried").unlink()
    assert run(work, "raise AssertionError") == build_child.OK
    assert (work / "made").read_text() == made


def test_what_cannot_be_run_is_no_result(work: Path) -> None:
    assert run(work, trying="raise RuntimeError('bad graph')") == build_child.FAILED
    assert not (work / "tried").exists()


def test_a_build_for_a_card_is_not_tried_where_there_may_be_none(work: Path) -> None:
    assert run(work, trying="raise RuntimeError", provider="cuda") == build_child.OK


@pytest.mark.parametrize(
    ("what", "code"),
    [
        ("raise MemoryError", build_child.NO_MEMORY),
        ("raise RuntimeError('DefaultCPUAllocator: not enough memory: you tried')",
         build_child.NO_MEMORY),
        (f"raise OSError({errno.ENOSPC}, 'No space')", build_child.NO_SPACE),
        ("raise RuntimeError('write: No space left on device')", build_child.NO_SPACE),
        ("raise NotImplementedError('X is not supported')", build_child.UNSUPPORTED),
        ("import nothing_of_that_name", build_child.MISSING),
        ("raise ValueError('?')", build_child.FAILED),
    ],
    ids=["memory", "memory-of-torch", "disk", "disk-in-words", "architecture", "package", "else"],
)  # fmt: skip
def test_the_exit_code_says_why(work: Path, what: str, code: int) -> None:
    assert run(work, what) == code
    assert not (work / "model").exists()


def test_the_first_cause_that_says_it_counts() -> None:
    error = RuntimeError("saving failed")
    error.__cause__ = OSError(errno.ENOSPC, "full")
    assert build_child.code_of(error) == build_child.NO_SPACE


NESTED = {
    "full_attention": {"rope_type": "default", "rope_theta": 1_000_000.0},
    "sliding_attention": {"rope_type": "default", "rope_theta": 10_000.0},
}
FLAT = {"rope_type": "default", "rope_theta": 5.0}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (NESTED, {"rope_theta": 1_000_000.0, "rope_local_base_freq": 10_000.0,
                  "rope_parameters": {"rope_type": "default", "rope_theta": 1_000_000.0}}),
        (FLAT, {"rope_parameters": FLAT}),
        (None, {"rope_parameters": None}),
    ],
    ids=["nested", "flat", "none"],
)  # fmt: skip
def test_gemmas_two_kinds_of_attention_are_told_as_the_builder_knows_them(
    given: Any, expected: dict[str, Any]
) -> None:
    class Kind:
        def __init__(self, config: Any, *more: Any) -> None:
            self.config, self.more = config, more

    build_child.mend_gemma(Kind)
    made = Kind(SimpleNamespace(rope_parameters=given), "io")
    assert vars(made.config) == expected and made.more == ("io",)
