"""pydantic's words on a body as one refusal: the field at fault, and what to send instead.

Where a field may be several things, pydantic tells how each of them was missed. The refusal tells
of the one that was meant: a list of parts is no "valid string" that went wrong.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from venom_core.chat.validation import LONGEST_FIELD
from venom_core.sdk.errors import InvalidRequest

# Names that pydantic puts into a path for the members of a union; a client knows none of them.
_NOT_A_FIELD = re.compile(
    r"[A-Z]|\[|^(str|int|float|bool|none|dict|list)$|^function-|^constrained-"
)
_SHOULD_BE = re.compile(r"^Input should be ")
Error = Mapping[str, Any]


def invalid(errors: Sequence[Error], place: str = "") -> InvalidRequest:
    """Return the refusal for what pydantic found.

    Args:
        errors: as ``ValidationError.errors()`` has them.
        place: what is at fault where no field is: ``query``, ``body``.
    """
    error = _meant(errors, 0)
    param = field_path(error["loc"]) or place
    message = str(error["msg"]).rstrip(".")
    where = f"{param}: {message}." if param else f"The body: {message}."
    return InvalidRequest(where, param=param or None, fix=_fix(error, param or "the body"))


def field_path(loc: Sequence[int | str]) -> str:
    """Return ``("messages", 0, "content", "str")`` as ``messages[0].content``."""
    path = ""
    for part in loc:
        if isinstance(part, int):
            path += f"[{part}]"
        elif not _NOT_A_FIELD.search(part):
            path += f".{part[:LONGEST_FIELD]}" if path else part[:LONGEST_FIELD]
    return path


def _meant(errors: Sequence[Error], start: int) -> Error:
    """Return the first error, or, where it is of a union's member, that of the member which the
    value resembles most; ``start`` is where in the path to look for a union."""
    first = errors[0]
    loc = first["loc"]
    at = next((i for i in range(start, len(loc)) if _names_a_member(loc[i])), None)
    if at is None:
        return first
    members: dict[str, list[Error]] = {}
    for error in errors:
        if error["loc"][:at] == loc[:at] and len(error["loc"]) > at:
            members.setdefault(str(error["loc"][at]), []).append(error)
    best = max(_likeness(found, at) for found in members.values())
    alike = [found for found in members.values() if _likeness(found, at) == best]
    return _meant(alike[0], at + 1) if best == _SAME_KIND else _joined([one[0] for one in alike])


def _names_a_member(part: int | str) -> bool:
    return isinstance(part, str) and bool(_NOT_A_FIELD.search(part))


_OTHER_TYPE, _OTHER_KIND, _SAME_KIND = range(3)


def _likeness(errors: Sequence[Error], at: int) -> int:
    """Return how much the value is like a member: of another type, an object whose ``type`` says
    that it is something else, or that very kind with a fault inside."""
    if any(len(error["loc"]) == at + 1 for error in errors):
        return _OTHER_TYPE
    other = (e["type"] == "literal_error" and len(e["loc"]) == at + 2 for e in errors)
    return _OTHER_KIND if any(other) else _SAME_KIND


def _joined(errors: Sequence[Error]) -> Error:
    """Return one error that says everything that would have been right."""
    first, *others = dict.fromkeys(str(error["msg"]) for error in errors)
    wanted = [_SHOULD_BE.sub("", message) for message in (first, *others)]
    joined = {**errors[0], "msg": " or ".join((first, *wanted[1:]))}
    if joined["type"] == "literal_error":
        joined["ctx"] = {"expected": " or ".join(wanted)}
    return joined


def _fix(error: Error, param: str) -> str:
    """Return what to do about an error; a value that is named there is accepted."""
    found = error.get("ctx") or {}
    match error["type"]:
        case "missing":
            return f"Add {param}."
        case "extra_forbidden":
            return f"Leave {param} out."
        case "less_than_equal":
            return f"Send at most {found['le']:g}, or leave {param} out."
        case "greater_than_equal":
            return f"Send at least {found['ge']:g}, or leave {param} out."
        case "literal_error" | "enum":
            return f"Send one of: {found['expected']}"
    return f"Correct {param}; what it may be is at /docs/api"
