"""JSON schemas that clients send with their tools: checked, and joined to one schema of a call."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from venom_core.sdk.errors import InvalidRequest, UnsupportedParameter

#: Levels of one schema: no engine reads as many, and more are a mistake or an attack.
MOST_LEVELS = 64
LONGEST_TOOL_NAME = 256
#: Keywords whose values are data, and no schemas.
_DATA = frozenset({"const", "default", "enum", "examples"})
#: Keywords whose values are schemas under names that the author chose.
_NAMED = frozenset(
    {"$defs", "definitions", "dependentSchemas", "patternProperties", "properties"}
)  # fmt: skip
#: Keywords whose schemas are read where they stand: a reference to itself among them has no end.
_IN_PLACE = ("anyOf", "oneOf", "allOf")
_NO_ARGUMENTS: Mapping[str, Any] = {
    "type": "object",
    "properties": {},
    "additionalProperties": False,
}


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool of a request. ``parameters`` is the schema of its arguments."""

    name: str
    parameters: Mapping[str, Any]


def read_tools(tools: Sequence[Any]) -> tuple[Tool, ...]:
    """Return the tools of a chat body, checked.

    Raises ``InvalidRequest`` or ``UnsupportedParameter`` naming the field: a tool of another type
    than ``function``, without a name, or whose parameters are no schema of an object that ends.
    """
    found = tuple(_read(tool, f"tools[{place}]") for place, tool in enumerate(tools))
    names = [tool.name for tool in found]
    for place, name in enumerate(names):
        if name in names[:place]:
            raise InvalidRequest(
                "Two tools have one name.", param=f"tools[{place}].function.name",
                fix="Give each tool a name of its own.",
            )  # fmt: skip
    return found


def _read(tool: Any, where: str) -> Tool:
    kind = tool.get("type", "function")
    if kind != "function":
        raise UnsupportedParameter(
            "Tools of the type function are called, no others.",
            param=f"{where}.type",
            fix="Describe it as a function.",
        )
    function = tool.get("function")
    if not isinstance(function, Mapping):
        raise InvalidRequest("The tool has no function.", param=f"{where}.function")
    name = function.get("name")
    if not isinstance(name, str) or not 0 < len(name) <= LONGEST_TOOL_NAME:
        raise InvalidRequest(
            f"A tool's name is a text of 1 to {LONGEST_TOOL_NAME} characters.",
            param=f"{where}.function.name",
        )
    where = f"{where}.function.parameters"
    given = function.get("parameters")
    if given is None or given == {}:
        return Tool(name, _NO_ARGUMENTS)
    if not isinstance(given, Mapping):
        raise _no_schema("it is no object", where)
    if not {"$ref", "type", *_IN_PLACE} & given.keys():
        given = {"type": "object", **given}
    if given.get("type", "object") != "object":
        raise _no_schema("the arguments of a tool are an object", where)
    check_schema(given, where)
    return Tool(name, given)


def check_schema(schema: Any, where: str) -> None:
    """Raise ``InvalidRequest`` where a schema nests too deeply, refers to what is not there, or to
    itself without anything between.

    Args:
        where: the field, for the refusal.
    """
    for part in _schemas(schema, where):
        if not isinstance(part, Mapping):
            continue
        reference = part.get("$ref")
        if reference is not None:
            _target(schema, reference, where)
        _check_ends(schema, part, where)


def _schemas(schema: Any, where: str) -> Iterator[Any]:
    """Yield a schema and those in it. Raises ``InvalidRequest`` at the first one too deep."""
    waiting = [(schema, 0)]
    while waiting:
        part, level = waiting.pop()
        if level > MOST_LEVELS:
            raise _no_schema(f"it nests more than {MOST_LEVELS} levels deep", where)
        yield part
        waiting += [(inner, level + 1) for inner in _inside(part)]


def _inside(part: Any) -> Iterator[Any]:
    if isinstance(part, list):
        yield from part
    elif isinstance(part, Mapping):
        for keyword, value in part.items():
            if keyword in _NAMED and isinstance(value, Mapping):
                yield from value.values()
            elif keyword not in _DATA and isinstance(value, Mapping | list):
                yield value


def _check_ends(root: Any, part: Mapping[str, Any], where: str) -> None:
    """Raise where a schema is itself before it is anything else."""
    seen: set[int] = set()
    waiting = list(_in_place(root, part, where))
    while waiting:
        one = waiting.pop()
        if one is part:
            raise _no_schema("it refers to itself without anything between", where)
        if id(one) not in seen:
            seen.add(id(one))
            waiting += _in_place(root, one, where)


def _in_place(root: Any, part: Mapping[str, Any], where: str) -> Iterator[Mapping[str, Any]]:
    if (reference := part.get("$ref")) is not None:
        yield _target(root, reference, where)
    for keyword in _IN_PLACE:
        branches = part.get(keyword)
        if isinstance(branches, list):
            yield from (branch for branch in branches if isinstance(branch, Mapping))


def _target(root: Any, reference: Any, where: str) -> Mapping[str, Any]:
    """Return the schema that a reference means, RFC 6901. Raises ``InvalidRequest``."""
    if not isinstance(reference, str) or (reference != "#" and not reference.startswith("#/")):
        raise _no_schema("a $ref leads out of it", where)
    found = root
    for step in reference.split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        if isinstance(found, list) and name.isascii() and name.isdigit():
            found = found[int(name)] if int(name) < len(found) else None
        else:
            found = found.get(name) if isinstance(found, Mapping) else None
    if not isinstance(found, Mapping):
        raise _no_schema("a $ref leads to nothing", where)
    return cast("Mapping[str, Any]", found)


def _no_schema(what: str, where: str) -> InvalidRequest:
    return InvalidRequest(f"This is no usable JSON schema: {what}.", param=where)


def call_schema(tools: Sequence[Tool]) -> dict[str, Any]:
    """Return the schema of ``{"name": ..., "arguments": ...}`` for any one of the tools. Each
    tool's own schema lies under ``$defs``, and its references lead there."""
    places = [f"tool{number}" for number in range(len(tools))]
    branches = [
        {
            "type": "object",
            "properties": {
                "name": {"type": "string", "enum": [tool.name]},
                "arguments": {"$ref": f"#/$defs/{place}"},
            },
            "required": ["name", "arguments"],
            "additionalProperties": False,
        }
        for tool, place in zip(tools, places, strict=True)
    ]
    schema: dict[str, Any] = branches[0] if len(branches) == 1 else {"anyOf": branches}
    own = {
        place: _moved(tool.parameters, f"#/$defs/{place}")
        for tool, place in zip(tools, places, strict=True)
    }
    return {**schema, "$defs": own}


def _moved(part: Any, to: str, *, named: bool = False) -> Any:
    """Return a schema whose references lead to where it lies now; at most ``MOST_LEVELS`` deep."""
    if isinstance(part, list):
        return [_moved(item, to) for item in part]
    if not isinstance(part, Mapping):
        return part
    if named:
        return {name: _moved(value, to) for name, value in part.items()}
    made = {}
    for keyword, value in part.items():
        if keyword == "$ref":
            made[keyword] = f"{to}{value[1:]}"
        elif keyword in _DATA:
            made[keyword] = value
        else:
            made[keyword] = _moved(value, to, named=keyword in _NAMED)
    return made
