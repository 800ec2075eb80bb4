"""Translation by the model of that role: exact, whole, or refused.

What must not change is taken out before and looked for afterwards (``protection``); a translation
that lost some of it is asked for once more, and refused then. Texts are in no log.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import string
import time
from collections import OrderedDict
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from venom_core.chat.admission import Admission
from venom_core.chat.protection import Protected, Restorer, protect
from venom_core.chat.service import ChatCall, ChatService
from venom_core.models.languages import check_translates
from venom_core.models.registry import ListedModel
from venom_core.sdk.errors import (
    InvalidRequest,
    RequestTooLarge,
    UpstreamError,
    UpstreamIncomplete,
)
from venom_core.sdk.frames import Chunk

#: Code -> the name that the model is told.
LANGUAGES = {"pl": "Polish", "en": "English", "de": "German"}
MAX_TEXT = 20_000
TEMPERATURE = 0.2
AT_ONCE = 3
MAX_WAITING = 64
WAIT_SECONDS = 60.0
CACHE_SECONDS = 24 * 3600.0
CACHE_ENTRIES = 1000
CACHE_CHARACTERS = 4_000_000
ATTEMPTS = 2

_PROMPT = Path(__file__).with_name("translation.txt")


@dataclass(frozen=True, slots=True)
class TranslationCall:
    """A translation that is asked for; with ``source`` None the model finds the language."""

    text: str
    target: str
    source: str | None
    use_cache: bool
    request_id: str
    key_id: str | None = None
    traceparent: str | None = None

    def check(self) -> None:
        """Raise ``InvalidRequest`` (``unsupported_language``) or ``RequestTooLarge``."""
        for param, code in (("target_lang", self.target), ("source_lang", self.source)):
            if code is not None and code not in LANGUAGES:
                raise InvalidRequest(
                    f"{code!r} is not a language that Venom translates.",
                    code="unsupported_language",
                    param=param,
                    fix=f"Use one of: {', '.join(LANGUAGES)}",
                )
        if len(self.text) > MAX_TEXT:
            raise RequestTooLarge(
                f"A text to translate has at most {MAX_TEXT:,} characters.",
                code="text_too_long",
                param="text",
                fix="Send it in parts.",
            )


@dataclass(frozen=True, slots=True)
class Translation:
    """The whole text. ``model`` is None where there was nothing to translate."""

    text: str
    model: str | None = None
    cached: bool = False


@dataclass(frozen=True, slots=True)
class Restart:
    """A sign that the attempt so far was not exact: its pieces are void, another one begins."""


class TranslationCache:
    """Whole translations by everything that they depend on; in memory only.

    Args:
        clock: seconds that never go back.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._kept: OrderedDict[str, tuple[float, str]] = OrderedDict()
        self._characters = 0

    def get(self, key: str) -> str | None:
        found = self._kept.get(key)
        if found is None:
            return None
        if self._clock() >= found[0]:
            self._drop(key)
            return None
        self._kept.move_to_end(key)
        return found[1]

    def put(self, key: str, text: str) -> None:
        if key in self._kept:
            self._drop(key)
        self._kept[key] = (self._clock() + CACHE_SECONDS, text)
        self._characters += len(text)
        while len(self._kept) > CACHE_ENTRIES or self._characters > CACHE_CHARACTERS:
            self._drop(next(iter(self._kept)))

    def __len__(self) -> int:
        return len(self._kept)

    def _drop(self, key: str) -> None:
        self._characters -= len(self._kept.pop(key)[1])


class Translator:
    """Translations, a few at once.

    Args:
        chosen: the key (provider, ref) of the model that somebody made active for translation.
    """

    def __init__(
        self, chat: ChatService, chosen: Callable[[], Awaitable[tuple[str, str] | None]]
    ) -> None:
        self._chat = chat
        self._chosen = chosen
        self.cache = TranslationCache()
        self._gate = Admission(AT_ONCE, MAX_WAITING, WAIT_SECONDS, settable=False)

    async def translate(self, call: TranslationCall) -> Translation:
        """Return the whole translation; raises what :meth:`pieces` raises."""
        async with contextlib.aclosing(self.pieces(call)) as pieces:
            async for piece in pieces:
                if isinstance(piece, Translation):
                    return piece
        raise RuntimeError("the pieces end with the whole")

    async def pieces(
        self, call: TranslationCall
    ) -> AsyncGenerator[str | Restart | Translation, None]:
        """Yield the translation as it comes; the last item is the whole, and only that one is
        checked.

        Raises a ``VenomError`` of the chat path, or ``ModelNotCapable``, ``UpstreamError``
        (``empty_translation``, ``translation_damaged``), ``UpstreamIncomplete``
        (``translation_cut``).
        """
        call.check()
        stripped = call.text.strip()
        protected = protect(stripped)
        if not protected.has_words or call.source == call.target:
            yield Translation(call.text)
            return
        asked_by = (call.request_id, call.key_id, call.traceparent)
        item = await self._chat.pick("translation", *asked_by)
        await self._check(item, call.source, call.target)
        before, _, after = call.text.partition(stripped)
        key = await self._key(call, item, stripped)
        if (found := self._cached(call, key)) is not None:
            yield Translation(before + found + after, item.reference, cached=True)
            return
        await self._gate.enter()
        entered = time.monotonic()
        try:
            # While this one waited, another may have translated the same.
            if (found := self._cached(call, key)) is not None:
                yield Translation(before + found + after, item.reference, cached=True)
                return
            for attempt in range(ATTEMPTS):
                if attempt:
                    yield Restart()
                raw: list[str] = []
                if before:
                    yield before
                async with contextlib.aclosing(self._attempt(call, item, protected, raw)) as more:
                    async for piece in more:
                        yield piece
                whole = protected.restored("".join(raw).strip())
                if whole is not None:
                    if call.use_cache:
                        self.cache.put(key, whole)
                    if after:
                        yield after
                    yield Translation(before + whole + after, item.reference)
                    return
        finally:
            self._gate.leave(time.monotonic() - entered)
        raise UpstreamError(
            f"{item.reference} did not keep the placeholders, links, code or Markdown of the text.",
            code="translation_damaged",
            fix="Try again, or choose a larger model: venom use MODEL --role translation",
        )

    async def foreseen(self, call: TranslationCall) -> ListedModel:
        """Return the model that would translate now, whatever the text is; nothing is counted.

        Raises what :meth:`pieces` raises before its first piece.
        """
        call.check()
        item = await self._chat.foreseen("translation", call.key_id)
        await self._check(item, call.source, call.target)
        return item

    async def _check(self, item: ListedModel, source: str | None, target: str) -> None:
        chosen = await self._chosen() == (item.provider, item.model.ref)
        check_translates(item, source, target, chosen=chosen)

    async def _attempt(
        self, call: TranslationCall, item: ListedModel, protected: Protected, raw: list[str]
    ) -> AsyncGenerator[str, None]:
        """Yield an answer of the model with its parts put back; ``raw`` collects it as it came."""
        finish: str | None = None
        restorer, begun, held = Restorer(protected), False, ""
        stream = await self._chat.open(self._ask(call, item, protected))
        try:
            async with contextlib.aclosing(stream.frames()) as frames:
                async for frame in frames:
                    event = frame.event
                    for choice in event.choices if isinstance(event, Chunk) else ():
                        finish = choice.finish_reason or finish
                        if not choice.content:
                            continue
                        raw.append(choice.content)
                        text = held + restorer.feed(choice.content)
                        # White space at both ends is the text's own, not the model's.
                        text = text if begun else text.lstrip()
                        shown = text.rstrip()
                        held = text[len(shown) :]
                        if shown:
                            begun = True
                            yield shown
        finally:
            await stream.close()
        if rest := (held + restorer.rest()).rstrip():
            yield rest
        if finish == "length":
            raise UpstreamIncomplete(
                f"{item.reference} reached its limit of tokens before the translation was whole.",
                code="translation_cut",
                fix="Send a shorter text, or raise max_tokens for this model.",
            )
        if not "".join(raw).strip():
            raise UpstreamError(
                f"{item.reference} gave an empty translation.",
                code="empty_translation",
                fix="Try again, or choose another model: venom use MODEL --role translation",
            )

    def _ask(self, call: TranslationCall, item: ListedModel, protected: Protected) -> ChatCall:
        prompt, marks = _PROMPT.read_text(encoding="utf-8").strip().split("\n\n")
        names = {
            "from": f"from {LANGUAGES[call.source]} " if call.source else "",
            "into": LANGUAGES[call.target],
            "marks": f"{marks} " if protected.parts else "",
        }
        prompt = string.Template(prompt).substitute(names)
        body: dict[str, Any] = {}
        roles = item.model.allowed_roles
        if roles is None or "system" in roles:
            system = {"role": "system", "content": prompt}
            body["messages"] = [system, {"role": "user", "content": protected.text}]
        else:
            body["messages"] = [{"role": "user", "content": f"{prompt}\n\n{protected.text}"}]
        if "temperature" in self._chat.host.specs()[item.provider].parameters:
            body["temperature"] = TEMPERATURE
        return ChatCall(
            model=item.reference,
            body=body,
            request_id=call.request_id,
            stream=True,
            include_usage=True,
            key_id=call.key_id,
            traceparent=call.traceparent,
        )

    async def _key(self, call: TranslationCall, item: ListedModel, text: str) -> str:
        """Return a digest, so that the cache is no second place where people's texts are kept."""
        stored = json.dumps(dict(await self._chat.overrides(item)), sort_keys=True)
        parts = (call.source or "", call.target, item.reference, item.model.digest or "", stored)
        return hashlib.sha256(json.dumps([*parts, text]).encode()).hexdigest()

    def _cached(self, call: TranslationCall, key: str) -> str | None:
        return self.cache.get(key) if call.use_cache else None
