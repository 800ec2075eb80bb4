"""The secrets that this process knows, and texts without them.

Whoever reads a secret (a setting, a key file, a token) keeps it here; every text that leaves goes
through :func:`masked`: refusals, reasons, the log, events, the audit trail, the terminal. An
upstream that echoes its key in an error so tells it to nobody.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

MASK = "********"
#: A shorter one would be found in words that are none.
SHORTEST = 6
#: The beginning of a secret at the end of a text that was cut; a shorter one says nothing.
_SHORTEST_CUT = 8
#: What people write where a server asks for a key and takes any.
_PLACEHOLDERS = frozenset({"ollama", "lm-studio", "lm_studio", "no-key", "not-needed", "unused"})
#: Keys of ours, whoever made them.
_OUR_KEY = re.compile(r"venom-[0-9a-f]{8}-[A-Za-z0-9_-]{43}", re.ASCII)
#: Names of variables that hold secrets, as programs call them.
_SECRET_NAME = re.compile(
    r"(?:^|_)(?:TOKEN|SECRETS?|PASSWORD|PASSWD|PASSPHRASE|CREDENTIALS?|API_?KEYS?|KEY|PAT)(?:_|$)",
    re.IGNORECASE | re.ASCII,
)
#: Such a name with one of these says where a secret lies, or whether one is used.
_ABOUT = re.compile(r"_(?:FILE|PATH|DIR|URL|HELPER)$|_DISABLE_|_ENABLE_", re.IGNORECASE | re.ASCII)

#: Each with what it looks like, and all of these, the longest first.
_known: dict[str, set[str]] = {}
_forms: list[str] = []


def keep_secret(*values: object) -> None:
    """Mask these from here on, and what they look like in JSON, URLs and Base64. What is no text,
    or too short to be told from a word, is left out."""
    new = [value for value in map(_secret, values) if value is not None and value not in _known]
    if new:
        _known.update({value: _forms_of(value) for value in new})
        _sort()


def forget_secret(value: str) -> None:
    """Mask it no longer: what it opened is gone."""
    if _known.pop(value, None) is not None:
        _sort()


def known_secrets() -> frozenset[str]:
    """Return every secret that is masked now."""
    return frozenset(_known)


def keep_password(address: object) -> None:
    """Mask the password of ``scheme://user:password@host``, where there is one."""
    if not isinstance(address, str) or "@" not in address:
        return
    from base64 import b64encode
    from urllib.parse import unquote, urlsplit

    try:
        parts = urlsplit(address if "://" in address else f"//{address}")
    except ValueError:
        return
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    if password:
        keep_secret(password, parts.password, b64encode(f"{user}:{password}".encode()).decode())
    else:  # a token in the user's place
        keep_secret(user)


def keep_secrets_of(env: Mapping[str, str]) -> None:
    """Mask the values of an environment's variables that are named like secrets."""
    keep_secret(*(value for name, value in env.items() if is_secret_name(name)))


def is_secret_name(name: str) -> bool:
    """Return whether an environment variable is called as those are that hold secrets:
    ``HF_TOKEN``, ``OPENAI_API_KEY``."""
    return _SECRET_NAME.search(name) is not None and _ABOUT.search(name) is None


def masked(text: str) -> str:
    """Return a text without the secrets that are known, and without keys of ours."""
    for form in _forms:
        if form in text:
            text = text.replace(form, MASK)
    text = _OUR_KEY.sub(MASK, text)
    return _without_rest(text)


def masked_values(value: Any) -> Any:
    """Return JSON values with :func:`masked` texts in them."""
    if isinstance(value, str):
        return masked(value)
    if isinstance(value, Mapping):
        return {name: masked_values(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [masked_values(item) for item in value]
    return value


def _without_rest(text: str) -> str:
    """Mask the beginning of a secret in which somebody cut the text."""
    end = text.rstrip(".… ")
    for form in _forms:
        begin = form[:_SHORTEST_CUT]
        at = end.find(begin, max(len(end) - len(form) + 1, 0))
        while at >= 0:
            if form.startswith(end[at:]):
                return end[:at] + MASK
            at = end.find(begin, at + 1)
    return text


def _sort() -> None:
    _forms[:] = sorted({form for forms in _known.values() for form in forms}, key=len, reverse=True)


def _secret(value: object) -> str | None:
    text = value.strip() if isinstance(value, str) else ""
    return text if len(text) >= SHORTEST and text.lower() not in _PLACEHOLDERS else None


def _forms_of(value: str) -> set[str]:
    import json
    from base64 import b64encode
    from urllib.parse import quote

    encoded = value.encode("utf-8", "surrogatepass")
    inside = {json.dumps(value, ensure_ascii=plain)[1:-1] for plain in (True, False)}
    return inside | {value, quote(encoded, safe=""), b64encode(encoded).decode()}
