"""The law of the frames that answer one request, kept by the core.

What breaks it and can be put right without a loss is mended: pieces where one answer was asked for
are added up, an answer where a stream was asked for becomes its frame. Whatever else is outside the
law is refused by the name of its rule (:mod:`venom_core.sdk.law`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, get_args

from venom_core.plugins.breaches import BreachError
from venom_core.sdk import law
from venom_core.sdk.errors import VenomError
from venom_core.sdk.frames import (
    Answer,
    Choice,
    Chunk,
    Event,
    FinishReason,
    Frame,
    FrameKind,
    ToolCall,
    Usage,
)
from venom_core.sdk.law import Rule
from venom_core.sdk.messages import ChatRequest
from venom_core.sdk.plausible import plausible_frame
from venom_core.sdk.whole_answers import Gathered

_REASONS = frozenset(get_args(FinishReason))
_TEXT = (str, type(None))
_USAGE = (Usage, type(None))
#: Characters that pieces may add up to, as much as an engine may send at once.
LONGEST_ANSWER = 64 * 1024 * 1024


class FrameLaw:
    """Take each frame of a request with :meth:`take`, then what is left with :meth:`end`.

    The last finish is handed out by :meth:`end`: until then it may turn out that the provider goes
    on behind it, and a client that has its finish can no longer be told.

    Args:
        request: what is being answered.
        whose: the provider's name, for the log.
        noted: told of each rule that was broken and mended.
    """

    def __init__(self, request: ChatRequest, whose: str, noted: Callable[[Rule], None]) -> None:
        self._whose = whose
        self._streams = request.stream
        #: The choices that still have to come to an end; others may not come at all.
        self.open = set(range(int(request.body.get("n") or 1)))
        self._choices = frozenset(self.open)
        self._noted = noted
        self._seen = False
        self._answered = False
        self._usages = 0
        self._held: list[Frame] = []
        self._gathering: Gathered | None = None
        self._size = 0

    @property
    def is_whole(self) -> bool:
        """Whether each choice has had its finish."""
        return not self.open

    def take(self, frame: Frame) -> Sequence[Frame]:
        """Return the frames that may be handed on now. Raises :class:`BreachError`."""
        try:
            if self._is_plain(frame):
                self._seen = True
                return (frame,)
            told = frame.told()
            _check_event(told.event)
            checked = plausible_frame(told, self._whose)
        except (BreachError, VenomError):
            raise
        except Exception as error:
            raise BreachError(law.FRAMES) from error
        if told is not frame:
            self._noted(law.FRAMES)
        if checked is not told:
            self._noted(law.POSSIBLE_NUMBERS)
        if checked is None:
            return ()
        frame, event = checked, checked.event
        if event.usage is not None:
            self._usages += 1
        if isinstance(event, Answer):
            return self._answer(frame, event)
        if self._streams:
            return self._pass(frame, event)
        if event.choices or event.usage is not None:
            self._add(event)
        return ()

    def _is_plain(self, frame: Frame) -> bool:
        """Return whether a frame is one piece of one choice that is under way: nearly every one of
        a provider that makes typed frames is."""
        if not self._streams or type(frame) is not Frame or frame.kind is not FrameKind.DELTA:
            return False
        event: Any = frame.event
        if type(event) is not Chunk or event.usage is not None or type(event.choices) is not tuple:
            return False
        if len(event.choices) != 1:
            return False
        choice = event.choices[0]
        return (
            _is_choice(choice)
            and choice.index in self.open
            and choice.finish_reason is None
            and choice.finish_note is None
        )

    def end(self) -> Sequence[Frame]:
        """Return what is left at the end of the frames. Raises :class:`BreachError`."""
        if self.open:
            raise BreachError(law.FINISH_EACH_CHOICE)
        if self._answered is self._streams:
            self._noted(law.SHAPE_ASKED_FOR)
        if self._usages > 1:
            self._noted(law.ONE_USAGE)
        return self._held if self._gathering is None else (Frame.of(self._gathering.answer()),)

    def _answer(self, frame: Frame, answer: Answer) -> Sequence[Frame]:
        if self._seen:
            raise BreachError(law.ONE_ANSWER)
        self._answered = True
        if self._streams:
            frame = frame.streamed()
            return self._pass(frame, frame.event)
        if any(choice.finish_reason is None for choice in answer.choices) or not answer.choices:
            raise BreachError(law.FINISH_EACH_CHOICE)
        self._note_choices(answer)
        # Servers that know no ``n`` give one answer, and say so by giving one.
        self.open.clear()
        self._held = [frame]
        return ()

    def _pass(self, frame: Frame, event: Event) -> Sequence[Frame]:
        """Return the frames of a stream that one makes: usage by itself, and the last finish not
        yet."""
        if not event.choices:
            return (frame,) if event.usage is not None else ()
        self._note_choices(event)
        if event.usage is None:
            if self.open:
                return (frame,)
            self._held = [frame]
            return ()
        parts = list(frame.split_usage())
        if not self.open:
            self._held, parts = parts[:1], parts[1:]
        return parts

    def _add(self, chunk: Event) -> None:
        self._note_choices(chunk)
        if self._gathering is None:
            self._gathering = Gathered()
        self._gathering.add(chunk)
        for choice in chunk.choices:
            self._size += len(choice.content or "") + len(choice.reasoning or "")
            self._size += sum(len(call.arguments) for call in choice.tool_calls)
        if self._size > LONGEST_ANSWER:
            raise BreachError(law.FRAMES)

    def _note_choices(self, event: Event) -> None:
        if self._answered and self._seen:
            raise BreachError(law.ONE_ANSWER)
        still = self.open
        for choice in event.choices:
            if choice.index not in still:
                raise BreachError(self._breach_of(choice))
            if choice.finish_reason is not None:
                still.discard(choice.index)
        self._seen = self._seen or bool(event.choices)

    def _breach_of(self, choice: Choice) -> Rule:
        """Return the rule that a choice breaks by coming now."""
        if choice.index not in self._choices:
            return law.KNOWN_CHOICES
        return law.NOTHING_AFTER_FINISH if choice.finish_reason is None else law.ONE_FINISH


def _check_event(event: Any) -> None:
    """Raise :class:`BreachError` where a field is not of its declared type: what a plugin made is
    typed, and nobody checked it."""
    kind = type(event)
    if kind is not Chunk and kind is not Answer:
        raise BreachError(law.FRAMES)
    choices = event.choices
    if not isinstance(choices, Sequence) or not isinstance(event.usage, _USAGE):
        raise BreachError(law.FRAMES)
    for choice in choices:
        if not _is_choice(choice):
            raise BreachError(law.FRAMES)
        if choice.finish_reason is not None and choice.finish_reason not in _REASONS:
            raise BreachError(law.ONE_FINISH)


def _is_choice(choice: object) -> bool:
    return isinstance(choice, Choice) and _has_choice_types(choice)


def _has_choice_types(choice: Any) -> bool:
    return (
        type(choice.index) is int
        and isinstance(choice.content, _TEXT)
        and isinstance(choice.role, _TEXT)
        and isinstance(choice.reasoning, _TEXT)
        and isinstance(choice.finish_reason, _TEXT)
        and (not choice.tool_calls or all(map(_is_call, choice.tool_calls)))
        and (choice.logprobs is None or isinstance(choice.logprobs, Mapping))
        and isinstance(choice.finish_note, _TEXT)
    )


def _is_call(call: object) -> bool:
    return isinstance(call, ToolCall) and _has_call_types(call)


def _has_call_types(call: Any) -> bool:
    return (
        type(call.index) is int
        and isinstance(call.id, _TEXT)
        and isinstance(call.name, _TEXT)
        and isinstance(call.arguments, str)
    )
