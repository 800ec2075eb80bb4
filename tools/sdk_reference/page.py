"""The reference as a page of Markdown: a heading, a signature and the docstring of each name."""

from __future__ import annotations

import dataclasses
import inspect
import re
import sys
import types
import typing
from collections.abc import Sequence
from enum import Enum
from typing import Any

from tools.house.markdown import slug
from tools.sdk_reference.surface import Name, Section

WIDTH = 96
HEAD = """# SDK reference

Every name of the plugin API, version 1: `from venom_core.sdk import ...` has them all, and \
imports what a name needs when it is first used. A name of a module there that is not on this \
page is Venom's own and may change with any release. [Writing a plugin](authors.md) shows how they \
go together ([po polsku](../pl/plugins/authors.md)).

This page is made from the docstrings by `python -m tools.sdk_reference`; `make check` is red \
where it is stale.
"""
_ROLE = re.compile(r":(?:class|func|meth|attr|mod):`~?([\w.]+)`")
_LITERAL = re.compile(r"``([^`]+)``")
_ITEM = re.compile(r"^    (\*{0,2}\w+(?:, \*{0,2}\w+)*): ", re.MULTILINE)
_PARAGRAPHS = {"Args:": "Arguments", "Raises:": "Raises"}
_MODULES = re.compile(r"\b(?:typing|collections\.abc|venom_core\.sdk(?:\.\w+)?)\.(?=\w)")


def rendered(sections: Sequence[Section]) -> str:
    """Return the page."""
    parts = [HEAD, *map(_overview, sections), ""]
    for section in sections:
        parts.append(f"## {section.title}\n")
        for name in section.names:
            parts += _entry(name, 3)
            for member in name.members:
                parts += _entry(member, 4)
    return "\n".join(parts)


def _overview(section: Section) -> str:
    names = ", ".join(f"`{name.shown}`" for name in section.names)
    return f"- [{section.title}](#{slug(section.title)}): {names}"


def _entry(name: Name, level: int) -> list[str]:
    code = f"```python\n{_declared(name)}\n```\n"
    return [f"{'#' * level} `{name.shown}`\n", code, _markdown(name.doc or "")]


def _declared(name: Name) -> str:
    """Return how a name is declared, as Python has it."""
    value, bare = name.value, name.shown.split(".")[-1]
    if isinstance(value, property):
        return f"{bare}: {_text(inspect.signature(value.fget).return_annotation)}"  # type: ignore[arg-type]
    if isinstance(value, classmethod | staticmethod):
        return f"@{type(value).__name__}\n{_function(bare, value.__func__)}"
    if inspect.isfunction(value):
        return _function(bare, value)
    if inspect.isclass(value) and value.__module__ == name.home.__name__:
        return _class(bare, value)
    shown = _shown(value)
    return f"{bare} = {shown if len(shown) <= 3 * WIDTH else '...'}"


def _function(name: str, function: Any) -> str:
    function = inspect.unwrap(function) if hasattr(function, "__wrapped__") else function
    word = "async def" if inspect.iscoroutinefunction(function) else "def"
    signature = inspect.signature(function)
    returns = signature.return_annotation
    end = "" if returns is inspect.Signature.empty else f" -> {_text(returns)}"
    return _call(f"{word} {name}", signature, end)


def _class(name: str, kind: type) -> str:
    if issubclass(kind, Enum):
        lines = [f"    {one.name} = {_shown(one.value)}" for one in kind]
        return "\n".join([f"class {name}({kind.__mro__[1].__name__}):", *lines])
    if typing.is_typeddict(kind) or hasattr(kind, "__total__"):
        own = [f"    {key}: {_text(of)}" for key, of in vars(kind)["__annotations__"].items()]
        bases = ", ".join(base.__name__ for base in getattr(kind, "__orig_bases__", ()))
        return "\n".join([f"class {name}({bases or 'TypedDict'}):", *own])
    bases = ", ".join(base.__name__ for base in kind.__bases__ if base is not object)
    if issubclass(kind, Exception) and "__init__" not in vars(kind):
        return f"class {name}({bases})"
    signature = inspect.signature(kind)
    return _call(f"class {name}", signature, f"  # {bases}" if bases else "", kind)


def _call(opening: str, signature: inspect.Signature, end: str, kind: type | None = None) -> str:
    fields = {}
    if kind is not None and dataclasses.is_dataclass(kind):
        fields = {one.name: one for one in dataclasses.fields(kind)}
    parts: list[str] = []
    starred = False
    for one in signature.parameters.values():
        if one.name == "self":
            continue
        if one.kind is one.VAR_POSITIONAL:
            starred = True
        if one.kind is one.KEYWORD_ONLY and not starred:
            parts.append("*")
            starred = True
        parts.append(_parameter(one, fields.get(one.name)))
    line = f"{opening}({', '.join(parts)}){end}"
    if len(line) <= WIDTH and "\n" not in line:
        return line
    return "\n".join([f"{opening}(", *(f"    {part}," for part in parts), f"){end}"])


def _parameter(one: inspect.Parameter, field: Any) -> str:
    # Its own text has the stars.
    text = str(one.replace(annotation=one.empty, default=one.empty))
    if one.annotation is not one.empty:
        text += f": {_text(one.annotation)}"
    if one.default is one.empty:
        return text
    default = one.default
    if field is not None and field.default_factory is not dataclasses.MISSING:
        return f"{text} = {field.default_factory.__name__}()"
    return f"{text} = {_shown(default)}" if ":" in text else f"{text}={_shown(default)}"


def _text(annotation: Any) -> str:
    """Return an annotation as it is written."""
    if annotation is None or annotation is type(None):
        return "None"
    if isinstance(annotation, str):
        return " ".join(annotation.split())
    if isinstance(annotation, typing.ForwardRef):
        return " ".join(annotation.__forward_arg__.split())
    if type(annotation) is type:
        return annotation.__name__
    return _MODULES.sub("", repr(annotation)).replace("NoneType", "None")


def _shown(value: Any) -> str:
    """Return a value as it is written; that of a set in an order that is always the same."""
    if value == sys.executable:
        return "sys.executable"
    if isinstance(value, Enum):
        return f"{type(value).__name__}.{value.name}"
    if isinstance(value, frozenset):
        inner = ", ".join(sorted(map(_shown, value)))
        return f"frozenset({{{inner}}})" if inner else "frozenset()"
    if isinstance(value, re.Pattern):
        return f"re.compile({value.pattern!r})"
    if inspect.isfunction(value):
        return value.__name__
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 10_000:
        return f"{value:_}"
    if isinstance(value, str | int | float | bool | tuple | types.NoneType):
        return repr(value)
    if isinstance(value, type):
        return value.__name__
    text = _MODULES.sub("", repr(value))
    return "..." if " object at 0x" in text else text


def _markdown(doc: str) -> str:
    """Return a docstring as Markdown: its roles as code, its arguments as a list."""
    lines: list[str] = []
    block = ""
    for paragraph in re.split(r"\n{2,}", doc.strip()):
        head, _, rest = paragraph.partition("\n")
        if paragraph.startswith(".. versionadded::"):
            lines.append(f"Since {paragraph.split('::')[1].strip()}.")
        elif head in _PARAGRAPHS:
            lines.append(f"{_PARAGRAPHS[head]}:\n\n{_items(rest)}")
        elif block and all(line.startswith("    ") for line in paragraph.splitlines()):
            lines.append(f"```\n{inspect.cleandoc(paragraph)}\n```")
        else:
            block = paragraph if paragraph.endswith("::") else ""
            lines.append(_prose(paragraph.removesuffix(":") if block else paragraph))
    return "\n\n".join(lines) + "\n"


def _items(text: str) -> str:
    found = _ITEM.split(text + "\n")[1:]
    pairs = zip(found[::2], found[1::2], strict=True)
    return "\n".join(f"- `{name}`: {_prose(' '.join(said.split()))}" for name, said in pairs)


def _prose(text: str) -> str:
    items = text.startswith("* ")
    if items:
        text = re.sub(r"\n  +", " ", text).replace("\n* ", "\n- ").replace("* ", "- ", 1)
    else:
        text = " ".join(text.split())
    text = _ROLE.sub(lambda found: f"`{_MODULES.sub('', found[1])}`", text)
    return _LITERAL.sub(r"`\1`", text)
