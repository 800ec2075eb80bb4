"""The SDK's reference: stale is red, and so is a public name of which nothing is said."""

from __future__ import annotations

import ast
import inspect
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import pytest

from tools.sdk_reference import __main__ as command
from tools.sdk_reference import page, surface
from tools.sdk_reference.surface import Name, Section
from venom_core import sdk


@pytest.fixture(scope="module")
def sections() -> list[Section]:
    return surface.sections()


def test_a_stale_page_is_red_and_writing_makes_it_green(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "sdk.md"
    monkeypatch.setattr(command, "TARGET", target)
    assert command.main(["--check"]) == 1
    assert "python -m tools.sdk_reference" in capsys.readouterr().out
    assert command.main([]) == 0
    assert command.main(["--check"]) == 0
    written = target.read_text(encoding="utf-8")
    target.write_text(written.replace("Return a chunk with one piece of one choice.", ""))
    assert command.main(["--check"]) == 1


def test_every_exported_name_has_its_entry(sections: list[Section]) -> None:
    shown = [name.shown for section in sections for name in section.names]
    assert len(shown) == len(set(shown))
    assert {name.split(".")[0] for name in shown} == set(sdk.__all__)
    text = page.rendered(sections)
    assert [name for name in shown if f"\n### `{name}`\n" not in text] == []
    assert "python: str = sys.executable" in text  # and no path of the machine that wrote it
    assert sys.prefix not in text


def test_what_the_type_checker_sees_is_what_is_exported() -> None:
    """The names stand twice, for mypy and for the interpreter."""
    seen = {
        alias.asname
        for node in ast.walk(ast.parse(inspect.getsource(sdk)))
        if isinstance(node, ast.If)
        for line in node.body
        if isinstance(line, ast.ImportFrom)
        for alias in line.names
    }
    assert seen == set(sdk.__all__)
    assert all(hasattr(sdk, name) for name in sdk.__all__)


def test_an_export_is_no_module_of_another_kind() -> None:
    """A module that is imported becomes an attribute of its package, and would hide the name."""
    modules = {path.stem for path in Path(inspect.getfile(sdk)).parent.glob("*.py")}
    assert modules & set(sdk.__all__) == set(sdk._MODULES)


@dataclass
class Silent:
    """Says what it is."""

    size: int = 0

    @property
    def double(self) -> int:
        return 2 * self.size


def test_a_name_without_a_docstring_is_named() -> None:
    module = ModuleType("venom_core.sdk.silent")
    member = Name("Silent.double", Silent.double, module, None)
    names = (Name("Silent", Silent, module, "Says.", (member,)), Name("LIMIT", 3, module, None))
    found = list(surface.problems([*surface.sections(), Section("Silent", names)]))
    assert found == [
        "venom_core.sdk.Silent.double: a public name without a docstring",
        "venom_core.sdk.LIMIT: a public name without a docstring",
    ]


def test_a_module_in_no_topic_is_named(
    sections: list[Section], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sdk, "__all__", [*sdk.__all__, "fresh"])
    (problem,) = surface.problems(sections)
    assert problem.startswith("venom_core.sdk.fresh: its module is in no topic")


@pytest.mark.parametrize(
    ("place", "line", "found"),
    [
        ("plugins/venom_a/venom_a/provider.py", "from venom_core.sdk import Model", None),
        ("plugins/venom_a/venom_a/provider.py", "from venom_core.sdk.provider import Model", None),
        ("plugins/venom_a/venom_a/provider.py", "from venom_core.sdk.numbers import whole", None),
        (
            "plugins/venom_a/venom_a/provider.py",
            "from venom_core.sdk.frames import kind_of",
            "plugins/venom_a/venom_a/provider.py:1: venom_core.sdk.frames.kind_of",
        ),
        ("plugins/venom_a/tests/test_a.py", "from venom_core.sdk.frames import kind_of", None),
        (
            "venom_core/cli/plugin_template/both/PACKAGE/a.py.txt",
            "class @CLASS@: ...\nfrom venom_core.sdk import stall",
            "venom_core/cli/plugin_template/both/PACKAGE/a.py.txt:2: venom_core.sdk.stall",
        ),
        (
            "docs/plugins/a.md",
            '```python title="venom_a/plugin.py"\nfrom venom_core.sdk import stall\n```\n',
            "docs/plugins/a.md (venom_a/plugin.py):1: venom_core.sdk.stall",
        ),
    ],
    ids=[
        "exported",
        "by its module",
        "of a module",
        "of the core's",
        "in a test",
        "in a template",
        "in a page",
    ],
)
def test_our_plugins_use_what_others_have(
    tmp_path: Path, sections: list[Section], place: str, line: str, found: str | None
) -> None:
    (tmp_path / place).parent.mkdir(parents=True)
    (tmp_path / place).write_text(line)
    problems = list(surface.not_public(tmp_path, sections))
    assert problems == ([] if found is None else [f"{found} is no name of the plugin API"])


def whole_signature(
    first: int, *rest: str, limit: int = 10_000, words: frozenset[str] = frozenset({"b", "a"})
) -> list[int]:
    """Return them, as :class:`~venom_core.sdk.frames.Usage` has them::

        whole_signature(1)

    * one
      line
    * ``two``

    Args:
        first, limit: how many,
            at most.

    Raises:
        ValueError: never.
    """
    return [first, limit, len(rest), len(words)]


def test_a_signature_and_a_docstring_are_written_as_markdown() -> None:
    module = ModuleType("venom_core.sdk.whole")
    name = Name("whole_signature", whole_signature, module, inspect.getdoc(whole_signature))
    text = page.rendered([Section("Whole", (name,))]).partition("## Whole\n")[2]
    assert text.strip() == (
        "### `whole_signature`\n\n"
        "```python\n"
        "def whole_signature(\n"
        "    first: int,\n"
        "    *rest: str,\n"
        "    limit: int = 10_000,\n"
        "    words: frozenset[str] = frozenset({'a', 'b'}),\n"
        ") -> list[int]\n"
        "```\n\n"
        "Return them, as `Usage` has them:\n\n"
        "```\nwhole_signature(1)\n```\n\n"
        "- one line\n- `two`\n\n"
        "Arguments:\n\n- `first, limit`: how many, at most.\n\n"
        "Raises:\n\n- `ValueError`: never."
    )
