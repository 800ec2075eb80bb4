"""Names that are ours: declared by the plugins of the release, whoever else is installed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.plugins.distributions import install_plugin, scan_of
from venom_core.plugins import names

PROJECT = """[project]
name = "{name}"
[project.entry-points."venom.providers.v1"]
{entry} = "venom_x.plugin"
[project.entry-points."venom.providers.v2"]
{entry}-next = "venom_x.next"
[project.entry-points."console"]
other = "venom_x:main"
"""


def write(root: Path, name: str, entry: str, more: str = "") -> Path:
    file = root / name.replace("-", "_") / "pyproject.toml"
    file.parent.mkdir(parents=True)
    file.write_text(PROJECT.format(name=name, entry=entry) + more, encoding="utf-8")
    return root


def test_a_plugin_declares_its_names(tmp_path: Path) -> None:
    write(tmp_path, "venom-a", "a", '[tool.venom]\nreserves = ["alpha"]\n')
    write(tmp_path, "Venom_B", "b")
    (tmp_path / "venom_no_project").mkdir()
    a, b = dict.fromkeys(("a", "a-next", "alpha"), "venom-a"), {"b": "venom-b", "b-next": "venom-b"}
    assert names.declared_names((tmp_path,)) == a | b


def test_in_a_wheel_a_folder_beside_the_package_counts_for_nothing(tmp_path: Path) -> None:
    """Anything that is installed can put `plugins/` into the environment."""
    release = write(tmp_path / "venom_core" / "release", "venom-a", "a")
    strangers = write(tmp_path / "plugins", "venom-evil", "evil")
    assert "evil" not in names.declared_names((release, strangers))
    assert names.declared_names((tmp_path / "gone", strangers))["evil"] == "venom-evil"


def test_a_core_without_the_list_does_not_go_on(tmp_path: Path) -> None:
    """It would know no name of ours, and let anybody have them."""
    with pytest.raises(RuntimeError, match="install it again"):
        names.declared_names((tmp_path / "gone",))


def test_a_name_like_ours_makes_nobody_ours(site: Path) -> None:
    install_plugin(site, "evil", distribution="venom-evil", version="2026.11.0")
    (found,) = scan_of(site).found
    assert (found.distribution, found.origin) == ("venom-evil", "third_party")


def test_what_is_there_and_what_is_to_come() -> None:
    ours = names.RESERVED_NAMES
    assert ours["huggingface"] == ours["hf"] == "venom-hf"
    assert ours["onnxruntime"] == "venom-onnx"
    assert {"venom", "venom-ollama", "venom-vllm"} <= names.FIRST_PARTY
