"""Grammars of requests (GBNF), looked at before the engine gets them.

llama.cpp's parser tells nothing of what is wrong, has no end over ``"a"{5,2}``, and falls over
groups that nest deep enough. What passes here it may still refuse, for what only it can know.
Seen in xllamacpp 2026.10.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from typing import Any

from venom_core.sdk.errors import InvalidRequest

MOST_LEVELS = 64
#: What llama.cpp itself repeats at most.
MOST_TIMES = 2000
#: Characters and rules that a grammar stands for when its repetitions are written out.
MOST_ELEMENTS = 50_000
MOST_RULES = 5_000
_SHOWN = 60

_ESCAPE = r'\\(?:x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[trn\\"\[\]-])'
_LITERAL = re.compile(rf'"(?P<inside>(?:[^"\\]|{_ESCAPE})*)"')
_CLASS = re.compile(rf"\[\^?(?P<inside>(?:[^\]\\]|{_ESCAPE})*)\]")
_CHARACTER = re.compile(rf"{_ESCAPE}|[\s\S]")
_IN_CLASS = re.compile(rf"(?P<first>{_ESCAPE}|[\s\S])(?:-(?P<last>{_ESCAPE}|[\s\S]))?")
_NAME = re.compile(r"[a-zA-Z0-9-]+")
_TOKEN = re.compile(r"!?<(?:\[[0-9]+\]|(?!\[)[^>]*)>")
_FLAT = r"(?:[ \t]|#[^\r\n]*)*"
_SPACE = {False: re.compile(_FLAT), True: re.compile(r"(?:[ \t\r\n]|#[^\r\n]*)*")}
_TIMES = {
    nested: re.compile(rf"\{{{s.pattern}([0-9]{{1,9}}){s.pattern}(,{s.pattern}([0-9]{{1,9}})?"
                       rf"{s.pattern})?\}}")
    for nested, s in _SPACE.items()
}  # fmt: skip
_ONCE_AND_MORE: Mapping[str, tuple[int, int | None]] = {"*": (0, None), "+": (1, None), "?": (0, 1)}
_NAMED_ESCAPES = {"t": "\t", "r": "\r", "n": "\n"}


async def check_grammar(body: Mapping[str, Any]) -> None:
    """Look at the grammar of a request, where it has one.

    Raises ``InvalidRequest`` naming ``grammar`` where it is none, where it stands for more than the
    engine can hold, or where the request has another form for its answer.
    """
    grammar = body.get("grammar")
    if not grammar:
        return
    tools = body.get("tools") and body.get("tool_choice") != "none"
    for name, given in (("response_format", body.get("response_format")), ("tools", tools)):
        if given and given != {"type": "text"}:
            raise InvalidRequest(
                f"An answer is held to one form: a grammar and {name!r} are two.",
                param="grammar",
                fix="Leave one of them out.",
            )
    await asyncio.to_thread(_Grammar(grammar).check)


class _Grammar:
    """A cursor over a grammar's text; its groups bound how deep its methods call each other."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._elements = self._rules = 0
        self._defined: set[str] = set()
        #: Names that stand for something, and where the first of each does.
        self._named: dict[str, int] = {}

    def check(self) -> None:
        if "\0" in self._text:
            raise self._wrong("the character of the number 0 ends it", self._text.index("\0"))
        self._space(nested=True)
        while self._at < len(self._text):
            self._rule()
        if "root" not in self._defined:
            raise _refusal("The grammar is wrong: it has no rule named root.")
        for name, at in self._named.items():
            if name not in self._defined:
                raise self._wrong(f"there is no rule named {name[:_SHOWN]!r}", at)

    def _rule(self) -> None:
        name = _NAME.match(self._text, self._at)
        if name is None:
            raise self._wrong("a rule begins with its name, of letters, digits and hyphens")
        self._at = name.end()
        self._space(nested=False)
        if not self._text.startswith("::=", self._at):
            raise self._wrong("behind the name of a rule stands ::=")
        self._at += 3
        self._space(nested=True)
        self._defined.add(name[0])
        self._count(rules=1)
        self._alternatives(0)
        if self._at < len(self._text) and self._text[self._at] not in "\r\n":
            raise self._wrong("nothing of a rule begins so")
        self._space(nested=True)

    def _alternatives(self, level: int) -> None:
        self._sequence(level)
        while self._text.startswith("|", self._at):
            self._at += 1
            self._space(nested=True)
            self._sequence(level)

    def _sequence(self, level: int) -> None:
        nested = level > 0
        size: int | None = None  # of what stands last, which a repetition is of
        while self._at < len(self._text):
            sign = self._text[self._at]
            if sign in "*+?{":
                least, most = self._times(sign, nested=nested)
                if size is None:
                    raise self._wrong("there is nothing before it to repeat")
                size = self._repeated(size, least, most)
            elif (found := self._item(sign, level)) is not None:
                size = found
                self._count(elements=size)
            else:
                return
            self._space(nested=nested)

    def _item(self, sign: str, level: int) -> int | None:
        """Read what stands next and return its size; None where a sequence ends there."""
        if sign == '"':
            inside = self._take(_LITERAL, "a text in quotation marks has no end, or a wrong escape")
            return len(_CHARACTER.findall(inside["inside"]))
        if sign == "[":
            return self._characters()
        if sign in "<!":
            self._take(_TOKEN, "a token stands in angle brackets")
            return 1
        if sign == ".":
            self._at += 1
            return 1
        if sign == "(":
            return self._group(level + 1)
        if (name := _NAME.match(self._text, self._at)) is not None:
            self._named.setdefault(name[0], self._at)
            self._at = name.end()
            return 1
        return None

    def _characters(self) -> int:
        at = self._at
        found = self._take(_CLASS, "characters in brackets have no end, or a wrong escape")
        size = 0
        for one in _IN_CLASS.finditer(found["inside"]):
            size += 2 if one["last"] else 1
            if one["last"] and _character(one["last"]) < _character(one["first"]):
                raise self._wrong("a range of characters ends before it begins", at)
        return size

    def _group(self, level: int) -> int:
        if level > MOST_LEVELS:
            raise self._wrong(f"groups nest more than {MOST_LEVELS} levels deep")
        at = self._at
        self._at += 1
        self._count(rules=1)
        self._space(nested=True)
        self._alternatives(level)
        if not self._text.startswith(")", self._at):
            raise self._wrong("this group has no end", at)
        self._at += 1
        return 1

    def _times(self, sign: str, *, nested: bool) -> tuple[int, int | None]:
        """Read a repetition and return how often; None is without a bound."""
        if sign != "{":
            self._at += 1
            return _ONCE_AND_MORE[sign]
        at = self._at
        found = self._take(
            _TIMES[nested], "a repetition in braces is a number, or two with a comma between"
        )
        least = int(found[1])
        most = least if found[2] is None else int(found[3]) if found[3] else None
        if most is not None and most < least:
            raise self._wrong("a repetition ends before it begins", at)
        if max(least, most or 0) >= MOST_TIMES:
            raise self._wrong(f"more than {MOST_TIMES - 1} repetitions", at)
        return least, most

    def _repeated(self, size: int, least: int, most: int | None) -> int:
        """Return the size of what stands there when a repetition is written out."""
        rules = 1 if most is None else most - least
        self._count(elements=size * least + rules * (size + 1), rules=rules)
        return size * least + 1

    def _count(self, elements: int = 0, rules: int = 0) -> None:
        self._elements += elements
        self._rules += rules
        if self._elements > MOST_ELEMENTS or self._rules > MOST_RULES:
            raise _refusal(
                f"The grammar stands for more than {MOST_ELEMENTS:,} characters or {MOST_RULES:,} "
                "rules when its repetitions are written out."
            )

    def _take(self, wanted: re.Pattern[str], otherwise: str) -> re.Match[str]:
        found = wanted.match(self._text, self._at)
        if found is None:
            raise self._wrong(otherwise)
        self._at = found.end()
        return found

    def _space(self, *, nested: bool) -> None:
        found = _SPACE[nested].match(self._text, self._at)
        assert found is not None
        self._at = found.end()

    def _wrong(self, what: str, at: int | None = None) -> InvalidRequest:
        before = self._text[: self._at if at is None else at]
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        return _refusal(f"The grammar is wrong in line {line}, column {column}: {what}.")


def _character(written: str) -> int:
    if len(written) == 1:
        return ord(written)
    kind, digits = written[1], written[2:]
    return int(digits, 16) if digits else ord(_NAMED_ESCAPES.get(kind, kind))


def _refusal(message: str) -> InvalidRequest:
    return InvalidRequest(
        message, param="grammar", fix="GBNF is described with llama.cpp, in grammars/README.md."
    )
