"""References: ``provider://ref``, or a bare name.

Refs go to providers and into messages, never into a path, a URL or a command line by themselves;
the rules here keep them harmless even so.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from venom_core.sdk.errors import InvalidRequest

MAX_LENGTH = 200
_PROVIDER = re.compile(r"[a-z0-9][a-z0-9_-]{0,49}", re.ASCII)
_NAME = re.compile(r"[A-Za-z0-9_.:/@+-]+", re.ASCII)


@dataclass(frozen=True, slots=True)
class Reference:
    """``provider`` is None for a bare name."""

    provider: str | None
    name: str

    def __str__(self) -> str:
        return f"{self.provider}://{self.name}" if self.provider else self.name


def parse_reference(text: str, *, param: str = "model") -> Reference:
    """Split and check a reference. Raises ``InvalidRequest`` naming ``param``."""
    provider, separator, name = text.partition("://")
    if not separator:
        provider, name = "", text
    if (
        not 1 <= len(text) <= MAX_LENGTH
        or not _NAME.fullmatch(name)
        or ".." in re.split(r"[/:@]", name)
        or name.startswith(("/", "-"))
        or (separator and not _PROVIDER.fullmatch(provider))
    ):
        raise InvalidRequest(
            "A model is named by letters, digits and _ . : / @ + -, at most "
            f"{MAX_LENGTH} characters, optionally after 'provider://'.",
            code="invalid_model_name",
            param=param,
            fix="See the names with: venom list",
        )
    return Reference(provider or None, name)


def names_match(asked: str, ref: str) -> bool:
    """Return whether a name means a ref: equal, or equal once ``:latest`` is understood."""
    return asked == ref or f"{asked}:latest" == ref
