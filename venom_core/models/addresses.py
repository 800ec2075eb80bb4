"""Addresses of pages about models, as people paste them where a name is asked for.

Providers declare where their models have pages, and what a page stands for.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from venom_core.sdk.errors import InvalidRequest
from venom_core.sdk.spec import ProviderSpec

_LONGEST = 500
_ADDRESS = re.compile(r"https?://|[\w-]+(\.[\w-]+)+/", re.IGNORECASE)
_SCHEME = re.compile(r"https?://", re.IGNORECASE)


def is_address(text: str) -> bool:
    """Return whether a text begins as an address does: with a scheme or a host."""
    return bool(_ADDRESS.match(text))


def without_address(text: str, specs: Iterable[ProviderSpec], param: str = "model") -> str:
    """Return the name that the address of a page stands for; anything else as it is.

    Raises ``InvalidRequest`` (``invalid_model_name``) for an address that no provider knows.
    """
    address = _SCHEME.sub("", text)
    page = re.split(r"[?#]", address)[0].removeprefix("www.").rstrip("/")
    if len(page) <= _LONGEST:
        for spec in specs:
            for pattern, name in spec.pages:
                if found := re.fullmatch(pattern, page, re.IGNORECASE):
                    return found.expand(name)
    if address == text:
        return text
    raise InvalidRequest(
        "A web address is no model's name, and no installed provider knows this one.",
        code="invalid_model_name",
        param=param,
        fix="Name the model as it is listed: venom list --available",
    )
