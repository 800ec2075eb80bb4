"""Words of strangers without what a terminal, a log or a list would take for more than words."""

from __future__ import annotations

import re

# Control characters (all that begins an escape code), separators of lines that are none, what turns
# the direction of writing, and halves of characters, which no encoding has.
_NEVER = r"\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff"
_IN_TEXT = re.compile(f"[{_NEVER}]")
_IN_A_LINE = re.compile(f"[{_NEVER}\\t\\n]")


def printable(text: str) -> str:
    """Return a text with these characters shown as escapes (``\\x1b``); lines and tabs stay."""
    return _IN_TEXT.sub(_escape, text)


def one_line(text: str) -> str:
    """Return :func:`printable` text whose lines and tabs are shown as escapes too: a name, a
    sentence, a cell of a table."""
    return _IN_A_LINE.sub(_escape, text)


def is_one_line(text: str) -> bool:
    """Return whether :func:`one_line` would leave a text as it is."""
    return _IN_A_LINE.search(text) is None


def in_json(document: str) -> str:
    """Return a JSON document with these characters written as JSON writes them (``\\u009b``)."""
    return _IN_TEXT.sub(lambda found: f"\\u{ord(found[0]):04x}", document)


def whole_characters(text: str) -> str:
    """Return a text in which halves that belong together are one character, and half of one alone,
    which no encoding has, is U+FFFD. An engine sends halves where a token splits an emoji."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _escape(found: re.Match[str]) -> str:
    code = ord(found[0])
    return {9: "\\t", 10: "\\n"}.get(code) or (
        f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
    )
