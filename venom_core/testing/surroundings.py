"""A home of its own for a test: it reads nothing of whoever runs it, and writes nothing there."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from venom_core.sdk.environments import Environment
from venom_core.sdk.masking import forget_secret, known_secrets
from venom_core.sdk.spec import EngineEnvironment
from venom_core.settings.paths import Paths

_OURS = ("VENOM_", "OLLAMA_", "HF_", "LLM_", "VLLM_", "ONNX_LLM_", "MODEL_GENERATION_")
#: The command line speaks by the locale.
_LOCALE = ("LANGUAGE", "LC_MESSAGES", "LANG")


#: The environment as it was before any test was given a home of its own.
OUTSIDE = dict(os.environ)


def outside_models() -> Path:
    """Return the model store of whoever runs this, for what needs a real model and only reads."""
    return Paths.resolve(OUTSIDE).models_dir


def outside_python(provider: str, declared: EngineEnvironment) -> Path | None:
    """Return the interpreter of an engine's environment of whoever runs this: the one that
    ``VENOM_<PROVIDER>__PYTHON`` names, else the installed one; None where there is none."""
    named = OUTSIDE.get(f"VENOM_{provider.upper()}__PYTHON")
    if named:
        return Path(named)
    environment = Environment(declared, Paths.resolve(OUTSIDE).providers_dir / provider)
    return environment.python if environment.state() == "ready" else None


@contextlib.contextmanager
def own_home(folder: Path) -> Iterator[None]:
    """Replace the variables by which Venom and its providers are set up, for the time of the
    block; the homes of both lie in ``folder``. The secrets that are read meanwhile are forgotten
    behind it: one that was made up may be a word that others say."""
    secrets = known_secrets()
    kept = {name: value for name, value in os.environ.items() if name.startswith(_OURS)}
    kept |= {name: os.environ[name] for name in (*_LOCALE, "LC_ALL") if name in os.environ}
    ours = {
        "LC_ALL": "C.UTF-8",
        "VENOM_HOME": str(folder / "venom-home"),
        "HF_HOME": str(folder / "hugging-face"),
    }
    for name in kept:
        del os.environ[name]
    os.environ.update(ours)
    try:
        yield
    finally:
        for name in [name for name in os.environ if name.startswith(_OURS)]:
            del os.environ[name]
        os.environ.pop("LC_ALL", None)
        os.environ.update(kept)
        for secret in known_secrets() - secrets:
            forget_secret(secret)
