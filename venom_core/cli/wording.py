"""The language of the command line: English, or Polish where the locale says so.

What is printed for people goes through :func:`words`; JSON, codes, and what people and models wrote
never do. The sentences stand in the same catalogues as those of the API.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping

#: Locales without a language, in which ``LANGUAGE`` counts for nothing.
_NONE = ("C", "POSIX")


def speaks_polish(env: Mapping[str, str] | None = None) -> bool:
    """Return whether messages are to be Polish: by ``LANGUAGE``, a list in the order of preference,
    else by the first of ``LC_ALL``, ``LC_MESSAGES`` and ``LANG`` that is set."""
    found = os.environ if env is None else env
    locale = next(filter(None, map(found.get, ("LC_ALL", "LC_MESSAGES", "LANG"))), "")
    if locale in _NONE:
        return False
    for wish in (*found.get("LANGUAGE", "").split(":"), locale):
        language = re.split(r"[_.@-]", wish)[0].lower()
        if language in ("pl", "polish", "en", "english"):
            return language.startswith("p")
    return False


def words(text: str) -> str:
    """Return our own text in the language of the person: sentences, headings, labels."""
    said = text.strip()
    if not said or not speaks_polish():
        return text
    from venom_core.language.polish import polish

    start = text.index(said)
    return f"{text[:start]}{polish(said, terminal=True)}{text[start + len(said) :]}"
