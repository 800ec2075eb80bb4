"""The public names of the SDK: which there are, what each is, what is said of it."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from types import ModuleType
from typing import Any

from tools.house.tree import Tree
from venom_core import sdk

PACKAGE = sdk.__name__
#: The modules by topic, in the order in which an author meets them.
TOPICS: Mapping[str, tuple[str, ...]] = {
    "Declaring a plugin": ("spec", "hookspecs"),
    "Being a provider": ("provider", "states"),
    "Requests": ("messages",),
    "Answers": ("frames",),
    "Errors": ("errors", "records"),
    "Servers that speak the OpenAI wire": (
        "openai_engine", "http", "upstream", "stream_reader", "prefill", "tool_emulation",
        "joined_answers",
    ),
    "Engines in processes of their own": (
        "engine", "engine_pool", "pooled_engine", "engine_processes", "child_process",
        "engine_settings", "process_identity", "programs", "environments",
    ),
    "A Python engine behind the OpenAI wire": (
        "engine_server", "served_engine", "text_pieces", "engine_failures", "chat_template",
        "fast_tokenizer", "answer_schema", "logit_shaping",
    ),
    "Catalogues": ("catalogue", "hub_pages"),
    "Hugging Face": ("hub_files", "hub_download"),
    "Folders with models": (
        "folder_catalogue", "model_folder", "model_folders", "model_files", "model_json",
        "model_links", "model_refusals", "safetensors", "sentence_transformers",
    ),
    "A model in numbers": (
        "architecture", "architecture_config", "architecture_gguf", "memory_estimate", "gguf",
    ),
    "This machine": (
        "machine", "graphics", "disk", "distributions", "pip", "utc", "masking",
    ),
    "Numbers and JSON of strangers": (
        "numbers", "bounded_json", "parameter_bounds", "printable",
    ),
}  # fmt: skip
#: A module in a page: its path and its text.
_SHOWN = re.compile(r'^```python title="([^"]+\.py)"\n(.*?)^```$', re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Name:
    """A public name.

    Args:
        shown: as it is used after ``from venom_core.sdk import ...``: ``delta``, ``numbers.whole``.
        value: the object.
        home: the module that has it.
        doc: its docstring, or the ``#:`` comment above a constant; None where there is none.
        members: of a class: its public methods and properties.
    """

    shown: str
    value: Any
    home: ModuleType
    doc: str | None
    members: tuple[Name, ...] = ()


@dataclass(frozen=True, slots=True)
class Section:
    """A topic with its names."""

    title: str
    names: tuple[Name, ...]


def sections() -> list[Section]:
    """Return every public name, by topic and in the order of its module."""
    return [
        Section(title, tuple(name for home in homes for name in _names(home)))
        for title, homes in TOPICS.items()
    ]


def problems(described: Sequence[Section]) -> Iterator[str]:
    """Yield what is public without being told: no topic, no docstring."""
    names = [name for section in described for name in section.names]
    told = {name.shown.split(".")[0] for name in names}
    for missing in sorted(set(sdk.__all__) - told):
        yield f"{PACKAGE}.{missing}: its module is in no topic of tools/sdk_reference/surface.py"
    for name in names:
        for one in (name, *name.members):
            if not one.doc:
                yield f"{PACKAGE}.{one.shown}: a public name without a docstring"


def not_public(root: Path, described: Sequence[Section]) -> Iterator[str]:
    """Yield each use that a plugin of this tree makes of what other plugins do not have."""
    public = {(one.home.__name__, one.shown.split(".")[-1]) for s in described for one in s.names}
    public |= {(PACKAGE, name) for name in sdk.__all__}
    for place, text in _plugin_sources(Tree(root)):
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(PACKAGE):
                for alias in node.names:
                    if (node.module, alias.name) not in public:
                        what = f"{node.module}.{alias.name}"
                        yield f"{place}:{node.lineno}: {what} is no name of the plugin API"


def _plugin_sources(tree: Tree) -> Iterator[tuple[str, str]]:
    """Yield the modules of our plugins, those that `venom plugins new` makes, and those that the
    documentation shows."""
    for name in tree.matching(".py", under="plugins"):
        if "tests" not in name.split("/"):
            yield name, tree.text(name)
    for name in tree.matching(".txt", under="venom_core/cli/plugin_template"):
        if name.endswith(".py.txt"):
            yield name, re.sub(r"@([A-Z]+)@", r"\1", tree.text(name))
    for name in tree.matching(".md", under="docs"):
        for title, text in _SHOWN.findall(tree.text(name)):
            yield f"{name} ({title})", text


def _names(home: str) -> Iterator[Name]:
    module = importlib.import_module(f"{PACKAGE}.{home}")
    comments = _comments(module)
    exported = set(sdk._HOMES.get(home, ()))
    for shown in _in_order(module):
        if shown.startswith("_"):
            continue
        if shown in exported:
            yield _name(shown, shown, module, comments)
        elif home in sdk._MODULES and _is_told(module, shown, comments):
            yield _name(f"{home}.{shown}", shown, module, comments)


def _is_told(module: ModuleType, name: str, comments: Mapping[str, str]) -> bool:
    """Return whether a name of a module that is public itself is meant: its own functions and
    classes, and the constants that say what they are."""
    value = getattr(module, name)
    if inspect.isclass(value) or inspect.isfunction(value):
        return bool(value.__module__ == module.__name__)
    return name in comments


def _name(shown: str, name: str, module: ModuleType, comments: Mapping[str, str]) -> Name:
    value = getattr(module, name)
    if not inspect.isclass(value) or value.__module__ != module.__name__:
        doc = inspect.getdoc(value) if inspect.isfunction(value) else comments.get(name)
        return Name(shown, value, module, doc)
    own = vars(value).get("__doc__")
    # A dataclass without a docstring has its own signature for one.
    doc = inspect.cleandoc(own) if own and not own.startswith(f"{name}(") else None
    return Name(shown, value, module, doc, tuple(_members(shown, value, module)))


def _members(shown: str, kind: type, module: ModuleType) -> Iterator[Name]:
    if issubclass(kind, Enum):
        return
    for name, value in vars(kind).items():
        method = getattr(value, "fget", None) or getattr(value, "__func__", value)
        if not name.startswith("_") and inspect.isfunction(method):
            doc = inspect.getdoc(method) or _inherited(kind, name)
            yield Name(f"{shown}.{name}", value, module, doc)


def _inherited(kind: type, name: str) -> str | None:
    """Return the docstring of the method that this one fills in."""
    above = (getattr(base, name, None) for base in kind.__mro__[1:])
    return next((inspect.getdoc(method) for method in above if method is not None), None)


def _in_order(module: ModuleType) -> list[str]:
    """Return the names that a module defines, as they stand in it."""
    found: dict[str, None] = {}
    for node in ast.parse(inspect.getsource(module)).body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            found[node.name] = None
        elif isinstance(node, ast.Assign):
            found |= {one.id: None for one in node.targets if isinstance(one, ast.Name)}
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            found[node.target.id] = None
    return list(found)


def _comments(module: ModuleType) -> dict[str, str]:
    """Return the ``#:`` comments above the names of a module."""
    found: dict[str, str] = {}
    held: list[str] = []
    for line in inspect.getsource(module).splitlines():
        if line.startswith("#:"):
            held.append(line.removeprefix("#:").strip())
            continue
        name = line.split(" ")[0].rstrip(":")
        if held and name.isidentifier():
            found[name] = " ".join(held)
        held = []
    return found
