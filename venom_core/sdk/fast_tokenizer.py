"""A model's own ``tokenizer.json``, read by the library ``tokenizers``, in the engine's process."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path


class FastTokenizer:
    """Text to tokens and back; it cuts and pads nothing.

    Args:
        file: looked at before, see ``model_json.check_tokenizer``.

    Raises whatever the library does for a file that is none.
    """

    def __init__(self, file: Path) -> None:
        from tokenizers import Tokenizer

        self.inner = Tokenizer.from_file(str(file))
        self.inner.no_truncation()
        self.inner.no_padding()

    def encode(self, text: str, *, special: bool) -> list[int]:
        """Return the tokens of a text, with those that begin and end one where ``special``."""
        # The library's words for a surrogate are a traceback.
        whole = text.encode("utf-8", "replace").decode()
        return list(self.inner.encode(whole, add_special_tokens=special).ids)

    def decode(self, tokens: Sequence[int]) -> str:
        """Return the text of tokens, without special ones."""
        return str(self.inner.decode(list(tokens), skip_special_tokens=True))

    def shown(self, token: int) -> str:
        """Return one token's text, be it a special one."""
        return str(self.inner.decode([token], skip_special_tokens=False))
