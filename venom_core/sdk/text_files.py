"""Text files that people write, in whatever an editor, a shell or PowerShell made of them."""

from __future__ import annotations

import codecs
from pathlib import Path

#: What stands in the place of bytes that are no text, where a reader does without them.
UNREADABLE = "\ufffd"
#: The longer marks first: UTF-32's begins as UTF-16's does.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


def read_text(path: Path, *, errors: str = "strict") -> str:
    """Return the text of a file in UTF-8, or in the Unicode form that its first bytes tell, with
    lines that end in a line feed. Raises ``OSError``, and ``UnicodeDecodeError`` unless ``errors``
    says otherwise."""
    return decoded(path.read_bytes(), errors=errors)


def decoded(data: bytes, *, errors: str = "strict") -> str:
    """Return the text of bytes, as :func:`read_text` does."""
    encoding = "utf-8"
    for mark, name in _MARKS:
        if data.startswith(mark):
            data, encoding = data[len(mark) :], name
            break
    else:
        if data[1:2] == b"\0":  # Windows leaves the mark out here and there
            encoding = "utf-16-le"
        elif data[:1] == b"\0":
            encoding = "utf-16-be"
    text = data.decode(encoding, errors)
    return text.replace("\r\n", "\n").replace("\r", "\n")


def not_text(error: UnicodeDecodeError) -> str:
    """Return where a file that :func:`read_text` refused is no text, as the end of a sentence:
    ``is not UTF-8 text at line 3 (byte 0xE9)``."""
    before = error.object[: error.start].decode(error.encoding, "replace")
    line = before.replace("\r\n", "\n").replace("\r", "\n").count("\n") + 1
    name = error.encoding.upper().removesuffix("-LE").removesuffix("-BE")
    return f"is not {name} text at line {line} (byte 0x{error.object[error.start]:02X})"


def unquoted(text: str) -> str:
    """Return a value without blanks around it and the quotes that a ``.env`` file's reader left on:
    ``docker run --env-file`` keeps them, and the carriage return of a Windows line."""
    text = text.strip()
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'" else text
