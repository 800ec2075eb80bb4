"""References that the Hub's own provider takes."""

from __future__ import annotations

from venom_core.sdk.errors import ModelNotFound
from venom_core.sdk.hub_files import HubRef


def parse_reference(text: str) -> HubRef:
    """Read a reference, with the Hub's host or without.

    Raises ``ModelNotFound`` for what can be no model of the Hub.
    """
    found = HubRef.parse(text)
    if found is None:
        raise ModelNotFound(
            f"Hugging Face names models as org/model, which {text!r} is not.",
            param="name",
            fix="Look for one with: venom search gemma",
        )
    return found
