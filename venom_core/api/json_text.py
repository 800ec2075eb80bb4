"""JSON as clients write it, made plain UTF-8 before anything reads it."""

from __future__ import annotations

import json
import re

from venom_core.chat.validation import check_size
from venom_core.sdk.printable import whole_characters

#: Longer texts are not looked through for halves: everybody else would wait meanwhile.
LONGEST_MENDED = 1024 * 1024
_HALF = rb"\\u[dD][%s][0-9a-fA-F]{2}"
_HIGH, _LOW = _HALF % b"89abAB", _HALF % b"c-fC-F"
#: Half of a character without its other half: escaped, or as bytes that are no UTF-8.
_ALONE = re.compile(_HIGH + rb"(?!" + _LOW + rb")|(?<!" + _HIGH + rb")" + _LOW)
_AS_BYTES = re.compile(rb"\xed[\xa0-\xbf]")


def json_text(raw: bytes) -> bytes:
    """Return JSON text as UTF-8 without a byte order mark. What is half of a character, as text
    that was cut between two halves has it, is U+FFFD in it.

    Text that is no JSON comes back as it is. Raises ``RequestTooLarge`` where it holds too many
    values.
    """
    encoding = json.detect_encoding(raw)
    if encoding == "utf-8-sig":
        raw = raw[3:]
    elif encoding != "utf-8":
        try:
            raw = raw.decode(encoding, "surrogatepass").encode("utf-8", "surrogatepass")
        except UnicodeDecodeError:
            return raw
    check_size(raw)
    return _mended(raw) if _has_halves(raw) else raw


def _has_halves(raw: bytes) -> bool:
    if len(raw) > LONGEST_MENDED:
        return False
    # The pattern is slow, and most texts can be seen to need none.
    escaped = b"\\ud" in raw or b"\\uD" in raw
    return bool((escaped and _ALONE.search(raw)) or (b"\xed" in raw and _AS_BYTES.search(raw)))


def _mended(raw: bytes) -> bytes:
    try:
        value = json.loads(raw.decode("utf-8", "surrogatepass"))
        text = json.dumps(value, ensure_ascii=False)
    except (ValueError, RecursionError):
        return raw
    return whole_characters(text).encode()
