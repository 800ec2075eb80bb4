"""References: ``provider://ref``, or a bare name.

A name is its provider's own word and opaque: whatever is listed can be used, spaces, Cyrillic
letters and absolute paths included. Refs go to providers and into messages, never into a path, a
URL or a command line by themselves. What is to be fetched or made here is spelled more narrowly.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from shlex import quote

from venom_core.sdk.errors import InvalidRequest
from venom_core.sdk.printable import is_one_line

MAX_LENGTH = 500
MAX_PLAIN = 200
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
    if not is_usable(name) or (separator and not _PROVIDER.fullmatch(provider)):
        raise InvalidRequest(
            f"A model's name is one line of at most {MAX_LENGTH} characters, optionally after "
            "'provider://'.",
            code="invalid_model_name",
            param=param,
            fix="See the names with: venom list",
        )
    return Reference(provider or None, name)


def is_usable(name: object) -> bool:
    """Return whether a name that a provider lists can be shown and asked for."""
    return (
        isinstance(name, str) and len(name) <= MAX_LENGTH and bool(name.strip())
        and is_one_line(name)
    )  # fmt: skip


def is_plain(name: str) -> bool:
    """Return whether a name, be there such a model or not, may go to whoever fetches models."""
    return (
        len(name) <= MAX_PLAIN
        and _NAME.fullmatch(name) is not None
        and ".." not in re.split(r"[/:@]", name)
        and not name.startswith(("/", "-"))
    )


def check_plain(name: str, *, param: str) -> None:
    """Raise ``InvalidRequest`` naming ``param`` for a name that is not :func:`is_plain`."""
    if not is_plain(name):
        raise InvalidRequest(
            "A model to fetch, or an alias, is named by letters, digits and _ . : / @ + -, at most "
            f"{MAX_PLAIN} characters.",
            code="invalid_model_name",
            param=param,
            fix="See the names with: venom list",
        )


def check_unlisted(name: str) -> None:
    """Raise ``InvalidRequest`` for a name that no provider lists and that climbs out of a folder:
    nobody means a model by it."""
    if ".." in re.split(r"[/:@]", name):
        check_plain(name, param="model")


def names_match(asked: str, ref: str) -> bool:
    """Return whether a name means a ref: equal, or equal once ``:latest`` is understood."""
    return asked == ref or f"{asked}:latest" == ref


def follow(aliases: Mapping[str, str], name: str) -> str:
    """Return what a name stands for once every alias is replaced. Raises ``InvalidRequest`` for a
    loop, which the store refuses and only a foreign hand could put there."""
    seen: list[str] = []
    while name in aliases:
        if name in seen:
            raise InvalidRequest(
                f"The alias {seen[0]!r} leads back to itself.",
                code="alias_loop",
                param="model",
                fix=f"Point it at a model: venom alias set {quote(seen[0])} MODEL",
            )
        seen.append(name)
        name = aliases[name]
    return name
