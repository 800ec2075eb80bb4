"""The languages that a model is good for: as its provider declares them, else as its makers say of
the family that its name tells. What neither says is not known."""

from __future__ import annotations

import re
from shlex import quote

from venom_core.models.registry import ListedModel
from venom_core.sdk.errors import ModelNotCapable
from venom_core.sdk.provider import Model

ENGLISH = frozenset({"en"})
MANY = frozenset({"pl", "en", "de"})
#: What a name tells, the first that fits; with the billions of parameters below which it is English
#: only. It is what the makers are known to claim, not compared with their model cards.
FAMILIES: tuple[tuple[re.Pattern[str], float, frozenset[str]], ...] = tuple(
    (re.compile(pattern), smallest, languages)
    for pattern, smallest, languages in (
        (r"smollm-?3", 0, frozenset({"en", "de"})),
        (r"smollm|tinyllama", 0, ENGLISH),
        (r"translate-?gemma|gemma-?3n", 0, MANY),
        (r"gemma-?3", 4, MANY),
        (r"qwen-?3", 4, MANY),
        (r"aya-?(expanse|23)|eurollm", 0, MANY),
        (r"mistral-small-?3", 0, MANY),
        (r"llama-?3[.-][123]", 3, frozenset({"en", "de"})),
    )
)
_BILLIONS = re.compile(r"(?<![a-z0-9.])(\d{1,4}(?:\.\d{1,3})?)\s?([bm])(?![a-z0-9])")


def languages_of(model: Model) -> frozenset[str] | None:
    """Return ISO 639-1 codes, or None where nothing is known. A base model is good for its makers
    only."""
    if model.instruct is False:
        return frozenset()
    if model.languages is not None:
        return frozenset(model.languages)
    name = model.ref.lower()
    for pattern, smallest, languages in FAMILIES:
        if pattern.search(name):
            billions = billions_of(name)
            return ENGLISH if billions is not None and billions < smallest else languages
    return None


def billions_of(name: str) -> float | None:
    """Return the parameters that a model's name tells, in thousands of millions."""
    found = _BILLIONS.search(name)
    if found is None:
        return None
    return float(found[1]) * (1 if found[2] == "b" else 0.001)


def check_translates(
    item: ListedModel, source: str | None, target: str, *, chosen: bool = False
) -> None:
    """Raise ``ModelNotCapable`` where the model is not good for these languages.

    Args:
        chosen: it was made the active model for translation; that counts where nothing is known.
    """
    known = languages_of(item.model)
    capabilities = item.model.capabilities
    if capabilities is not None and "chat" not in capabilities:
        known = frozenset()
    if known is None:
        if chosen:
            return
        raise ModelNotCapable(
            f"It is not known that {item.reference} can translate.",
            param="model",
            fix=f"If it can, say so: venom use {quote(item.reference)} --role translation",
        )
    if len(known) < 2 or not {source or target, target} <= known:
        raise ModelNotCapable(
            f"{item.reference} cannot translate this.",
            param="model",
            fix="Choose a model that knows both languages: venom use MODEL --role translation",
        )
