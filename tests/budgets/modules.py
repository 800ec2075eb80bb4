"""The words of a failed import budget."""

from __future__ import annotations


def how_to_look(what: str, code: str) -> str:
    """The end of a failure's message: how to find who imports it."""
    return (
        f"{what}. To see who imports it: python -X importtime -c '{code}' 2>&1 | less; make the"
        " import lazy (inside the function that needs it), or, where it is needed at start, allow"
        " it in this test and say why in the commit."
    )
