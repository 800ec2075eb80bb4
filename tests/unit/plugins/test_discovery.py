from __future__ import annotations

import sys

from importlib_metadata import Distribution, PathDistribution

from tests.unit.plugins.distributions import install, install_plugin, scan_of
from venom_core.plugins.discovery import scan


def test_what_the_metadata_says(tmp_path):
    install_plugin(tmp_path, "onnx", version="2026.11.0", requires=("venom==2026.11.0", "numpy"))
    install_plugin(tmp_path, "acme", distribution="Acme.Tools", package="acme", version="3.1")
    acme, onnx = scan_of(tmp_path).found
    assert (acme.id, acme.distribution, acme.version) == ("acme", "acme-tools", "3.1")
    assert (acme.origin, acme.api, acme.value) == ("third_party", "v1", "acme.plugin")
    assert (onnx.origin, onnx.requires) == ("first_party", ("venom==2026.11.0",))


def test_core_version_is_that_of_the_metadata(tmp_path):
    install(tmp_path, "venom", version="2031.1.7")
    found = scan(lambda: Distribution.discover(path=[str(tmp_path)]))
    assert found.core_version == "2031.1.7"


def test_finding_imports_nothing(site):
    install_plugin(site, "acme", "raise SystemExit('imported')")
    before = set(sys.modules)
    assert [found.id for found in scan_of(site).found] == ["acme"]
    assert not {name for name in set(sys.modules) - before if name.startswith("venom_acme")}


def test_same_entry_point_of_two_distributions_is_found_twice(tmp_path):
    install_plugin(tmp_path, "acme", distribution="acme-one")
    install_plugin(tmp_path, "acme", distribution="acme-two")
    assert [found.distribution for found in scan_of(tmp_path).found] == ["acme-one", "acme-two"]


def test_one_entry_for_both_majors_counts_as_ours(tmp_path):
    install_plugin(tmp_path, "acme")
    points = next(tmp_path.glob("*.dist-info")) / "entry_points.txt"
    points.write_text(
        "[venom.providers.v2]\nacme = venom_acme.new\nother = venom_acme.new\n"
        "[venom.providers.v1]\nacme = venom_acme.plugin\n"
    )
    found = {item.id: (item.api, item.value) for item in scan_of(tmp_path).found}
    assert found == {"acme": ("v1", "venom_acme.plugin"), "other": ("v2", "venom_acme.new")}


def test_unreadable_distribution_hides_no_other(tmp_path):
    install_plugin(tmp_path, "acme")
    install_plugin(tmp_path, "broken")
    install_plugin(tmp_path, "nameless")
    next(tmp_path.glob("venom_broken*.dist-info/entry_points.txt")).write_bytes(b"\xff\xfe\x00[")
    next(tmp_path.glob("venom_nameless*.dist-info/METADATA")).unlink()
    found = {item.id: item.version for item in scan_of(tmp_path).found}
    assert found == {"acme": "1.0", "nameless": "unknown"}


def test_distribution_shadowed_on_the_path_is_not_found(tmp_path):
    install_plugin(tmp_path / "first", "acme", version="2.0")
    install_plugin(tmp_path / "second", "acme", version="1.0")
    paths = [str(tmp_path / "first"), str(tmp_path / "second")]
    found = scan(lambda: Distribution.discover(path=paths)).found
    assert [item.version for item in found] == ["2.0"]


def test_work_for_300_distributions(site, monkeypatch):
    """One small file for each distribution, and the metadata of the plugins alone."""
    for number in range(300):
        script = {"run": f"dist{number}:main"} if number % 3 == 0 else None
        install(site, f"dist-{number}", entries=script, group="console_scripts")
    for number in range(5):
        install_plugin(site, f"plug{number}", "raise SystemExit('imported')")
    read: list[str] = []
    original = PathDistribution.read_text

    def counting(self: PathDistribution, name: str) -> str | None:
        read.append(str(name))
        return original(self, name)

    monkeypatch.setattr(PathDistribution, "read_text", counting)
    before = set(sys.modules)
    assert len(scan_of(site).found) == 5
    assert not {name for name in set(sys.modules) - before if name.startswith("venom_plug")}
    points = read.count("entry_points.txt")
    assert points <= 305 + 5, "entry_points.txt is read once, twice for a plugin"
    assert len(read) - points <= 5, f"metadata of others was read: {set(read)}"


def test_requirements_on_others_are_not_ours(tmp_path):
    requires = ("venomous>=1", "venom-tools", 'venom>=2; extra == "x"', "Venom (>=2026)")
    install_plugin(tmp_path, "acme", requires=requires)
    assert scan_of(tmp_path).found[0].requires == ("Venom (>=2026)",)


def test_the_default_is_what_python_can_import(site):
    install_plugin(site, "acme")
    assert "acme" in {found.id for found in scan().found}
