"""The pins of a lock: package, version, for which machines, and the sums of its files."""

from __future__ import annotations

import re
from dataclasses import dataclass

from packaging.markers import Marker
from packaging.utils import canonicalize_name

_PIN = re.compile(
    r"(?P<name>[\w.-]+)(?:\[[^\]]*\])?==(?P<version>[^\s;]+)\s*(?:;(?P<marker>.*?))?\s*$"
)
_HASH = re.compile(r"\s--hash=sha256:([0-9a-f]{64})")


@dataclass(frozen=True, slots=True)
class Pin:
    """A line of a lock.

    Args:
        name: as indexes compare it.
        marker: for which machines and Pythons it counts; empty for all.
        hashes: SHA-256 of each file that it may be.
    """

    name: str
    version: str
    marker: str
    hashes: frozenset[str]

    def applies(self, environment: dict[str, str] | None = None) -> bool:
        """Return whether it counts for a machine, this one where none is given."""
        return not self.marker or Marker(self.marker).evaluate(environment)

    def line(self) -> str:
        """Return it for any machine, as pip reads it."""
        return " ".join(
            [
                f"{self.name}=={self.version}",
                *(f"--hash=sha256:{one}" for one in sorted(self.hashes)),
            ]
        )


def pins(text: str) -> list[Pin]:
    """Return the pins of a requirements file with hashes, in its order."""
    found = []
    for whole in text.replace("\\\n", " ").splitlines():
        line = re.sub(r"(^|\s)#.*", "", whole)
        if match := _PIN.match(_HASH.sub("", line)):
            name = canonicalize_name(match["name"])
            marker = (match["marker"] or "").strip()
            found.append(Pin(name, match["version"], marker, frozenset(_HASH.findall(line))))
    return found
