"""``org/model[:label][@revision]``, as the Hub names models and as its GGUF users choose a file."""

from __future__ import annotations

import re
from dataclasses import dataclass

from venom_core.sdk.errors import ModelNotFound

DEFAULT_REVISION = "main"
COMMIT = re.compile(r"[0-9a-f]{40}")
_HOSTS = re.compile(r"^(?:hf\.co|huggingface\.co)/")
_REF = re.compile(
    r"([A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95})"
    r"(?::([A-Za-z0-9][\w.-]{0,95}))?"
    r"(?:@([A-Za-z0-9][\w./-]{0,95}))?",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class HubRef:
    """``repo`` is ``org/model``; ``label`` names one GGUF of several by its quantization; None as
    ``revision`` is the repository's main branch."""

    repo: str
    label: str | None = None
    revision: str | None = None

    @classmethod
    def parse(cls, text: str) -> HubRef:
        """Raises ``ModelNotFound`` for what can be no model of the Hub."""
        found = _REF.fullmatch(_HOSTS.sub("", text))
        if found is None or ".." in text:
            raise ModelNotFound(
                f"Hugging Face names models as org/model, which {text!r} is not.",
                param="name",
                fix="Look for one with: venom search gemma",
            )
        revision = None if found[3] == DEFAULT_REVISION else found[3]
        return cls(found[1], found[2], revision)

    def __str__(self) -> str:
        label = f":{self.label}" if self.label else ""
        return f"{self.repo}{label}{f'@{self.revision}' if self.revision else ''}"
