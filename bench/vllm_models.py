"""The real vLLM on the processor, as anybody gets it: ``venom engines install vllm --cpu``, in the
data directory of :mod:`bench.onnx_models`.

``VENOM_TEST_VLLM`` has it installed where it is not; ``VENOM_TEST_VLLM_PYTHON`` names another
interpreter with it.
"""

from __future__ import annotations

import os
from pathlib import Path

from bench.onnx_models import HOME, around, hub_with_gemma
from bench.real_model import command

# Read at import: tests get an environment without VENOM_* variables.
_NAMED, _MAKE = os.environ.get("VENOM_TEST_VLLM_PYTHON"), os.environ.get("VENOM_TEST_VLLM")
_OWN = HOME / "providers" / "vllm" / "environments" / "vllm-cpu"
#: The environment's folder.
VLLM_ENVIRONMENT = Path(_NAMED).parent.parent if _NAMED else _OWN


def vllm_python() -> Path:
    """Return the interpreter. Raises ``RuntimeError`` where it is not there and not to be made."""
    python = VLLM_ENVIRONMENT / "bin" / "python"
    if _MAKE and not _NAMED:
        command(HOME, "engines", "install", "vllm", "--cpu", "--yes", env=around())
    elif not python.is_file():
        raise RuntimeError(
            "vLLM's environment (3.5 GB) is not installed here; VENOM_TEST_VLLM=1 installs it"
        )
    return python


def vllm_env() -> dict[str, str]:
    """Return the variables by which a server with a home of its own runs folders of the cache."""
    return {
        **around(),
        "VENOM_RUNTIME_PROFILE": "full",
        "VENOM_VLLM__PYTHON": str(VLLM_ENVIRONMENT / "bin" / "python"),
        "VENOM_VLLM__KV_CACHE_GB": "1",
    }


def vllm_folder() -> Path:
    """Put the real Gemma into the cache and make what runs it, where either is missing and it may
    be made. Return the model store of :func:`vllm_env`'s servers: theirs are in the cache."""
    vllm_python()
    try:
        hub_with_gemma()
    except SystemExit as error:
        raise RuntimeError(str(error)) from error
    (HOME / "models").mkdir(exist_ok=True)
    return HOME / "models"
