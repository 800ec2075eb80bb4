"""The plugin API as plugins call it: what each public name takes, or what it is made of.

``tests/compat/api_v1.json`` keeps it. What is new is added to it when the reference is written;
what is taken away is red. Before a release a name that no release has may go: delete its line.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator, Mapping, Sequence
from enum import Enum
from typing import Any, Literal, TypedDict

from tools.projects import ROOT
from tools.sdk_reference.surface import Name, Section

LOCK = ROOT / "tests" / "compat" / "api_v1.json"
Kind = Literal["positional", "either", "keyword", "many", "more"]
KINDS: Mapping[Any, Kind] = {
    inspect.Parameter.POSITIONAL_ONLY: "positional",
    inspect.Parameter.POSITIONAL_OR_KEYWORD: "either",
    inspect.Parameter.KEYWORD_ONLY: "keyword",
    inspect.Parameter.VAR_POSITIONAL: "many",
    inspect.Parameter.VAR_KEYWORD: "more",
}


class Shape(TypedDict, total=False):
    """A public name as plugins use it.

    ``takes`` are the parameters in order, each with its kind and whether it must be given;
    ``has`` the members of an enumeration with their values, or the keys of a body.
    """

    takes: dict[str, list[Any]]
    has: dict[str, Any]


def present(sections: Sequence[Section]) -> dict[str, Shape]:
    """Return the API as it is now, by name."""
    names = (name for section in sections for one in section.names for name in _all(one))
    return {name.shown: _shape(name.value) for name in names}


def kept() -> dict[str, Shape]:
    """Return the API as it was when it was written last."""
    found: dict[str, Shape] = json.loads(LOCK.read_text(encoding="utf-8"))
    return found


def problems(sections: Sequence[Section]) -> list[str]:
    """Return each way in which plugins break that worked with the API as it is kept."""
    return [f"venom_core.sdk.{broken}" for broken in breaks(kept(), present(sections))]


def written(sections: Sequence[Section]) -> str:
    """Return what is to be kept: the API as it is now, but for what it may not lose."""
    shapes = kept() if problems(sections) else present(sections)
    lines = (f"{json.dumps(name)}: {json.dumps(shape)}" for name, shape in shapes.items())
    return "{\n" + ",\n".join(lines) + "\n}\n"


def breaks(then: Mapping[str, Shape], now: Mapping[str, Shape]) -> Iterator[str]:
    """Yield each way in which a plugin that was written for ``then`` fails with ``now``."""
    for name, old in then.items():
        if name not in now:
            yield f"{name} is gone"
            continue
        new = now[name]
        for member, value in old.get("has", {}).items():
            if new.get("has", {}).get(member) != value:
                yield f"{name}.{member} is gone, or is another"
        if "takes" in old:
            yield from (f"{name}: {what}" for what in _calls(old["takes"], new.get("takes", {})))


def _all(name: Name) -> Iterator[Name]:
    yield name
    for member in name.members:
        yield from _all(member)


def _shape(value: Any) -> Shape:
    if inspect.isclass(value) and issubclass(value, Enum):
        return {"has": {one.name: json.loads(json.dumps(one.value)) for one in value}}
    if inspect.isclass(value) and hasattr(value, "__total__"):
        return {"has": dict.fromkeys(value.__annotations__, True)}
    value = getattr(value, "__func__", value)
    if not callable(value) or not getattr(value, "__module__", "").startswith("venom_core."):
        return {}
    if inspect.isclass(value) and not inspect.isfunction(value.__init__):
        return {}  # an exception that takes what every exception takes
    parameters = inspect.signature(value).parameters.values()
    return {"takes": {one.name: [KINDS[one.kind], one.default is one.empty] for one in parameters}}


def _calls(then: Mapping[str, list[Any]], now: Mapping[str, list[Any]]) -> Iterator[str]:
    """Yield the calls that were possible and are no more."""
    by_place = [name for name, (kind, _) in then.items() if kind in ("positional", "either")]
    places = [name for name, (kind, _) in now.items() if kind in ("positional", "either")]
    if places[: len(by_place)] != by_place:
        yield f"takes {', '.join(places)} by place, and took {', '.join(by_place)}"
    for name, (kind, required) in then.items():
        if name not in now:
            yield f"takes no {name} any more"
        elif now[name][1] and not required:
            yield f"wants {name}, which could be left out"
        elif kind != "positional" and now[name][0] == "positional":
            yield f"takes {name} by place only"
    for name, (kind, required) in now.items():
        if name not in then and required and kind not in ("many", "more"):
            yield f"wants {name}, which is new"
