"""Which names belong to Venom's own release: data, nothing here is imported by name."""

from __future__ import annotations

import re
from typing import Final

CORE_DISTRIBUTION: Final = "venom"

#: Entry points and provider names that only the distribution of our release may use.
RESERVED_NAMES: Final[dict[str, str]] = {
    "ollama": "venom-ollama",
    "hf": "venom-hf",
    "huggingface": "venom-hf",
    "onnx": "venom-onnx",
    "onnxruntime": "venom-onnx",
    "vllm": "venom-vllm",
    "llamacpp": "venom-llamacpp",
    "llama-cpp": "venom-llamacpp",
    "remote": "venom-remote",
}
FIRST_PARTY: Final = frozenset(RESERVED_NAMES.values()) | {CORE_DISTRIBUTION}

#: Plugin and provider names: they become parts of references, variables and file names.
NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
LONGEST_NAME: Final = 64


def normalized(distribution: str) -> str:
    """A distribution's name as indexes compare it."""
    return re.sub(r"[-_.]+", "-", distribution).lower()


def is_name(text: object) -> bool:
    """Whether ``text`` can be a plugin's or a provider's name."""
    return isinstance(text, str) and len(text) <= LONGEST_NAME and bool(NAME.fullmatch(text))
