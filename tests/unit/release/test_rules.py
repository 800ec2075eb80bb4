"""Each rule of a release broken once, and which one is red; a whole one has nothing red."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.made_wheels import wheel
from tests.unit.release.made import VERSION, distribution, handed_out, release
from tools.releasing.release import SUMS, Release
from tools.releasing.rules import OF_THE_ARTEFACTS, RULES, asked

#: The bills of material are asked with the real programs, in tests/install.
ASKED = tuple(name for name in OF_THE_ARTEFACTS if name != "sbom")


@pytest.fixture
def made(tmp_path: Path) -> Release:
    return release(tmp_path / "tree")


def red(made: Release) -> dict[str, str]:
    outcomes = [asked(name, made) for name in ASKED]
    return {one.rule: "; ".join(one.said) for one in outcomes if one.state != "ok"}


def test_a_whole_one(made: Release) -> None:
    assert red(made) == {}


def test_nothing_is_built(made: Release) -> None:
    shutil.rmtree(made.dist)
    outcomes = [asked(name, made) for name in OF_THE_ARTEFACTS]
    assert {one.state for one in outcomes} == {"not run"}
    assert all("make release" in one.said[0] for one in outcomes)


def a_pth(made: Release) -> None:
    distribution(made, "venom_hf", extra={"venom_hf.pth": b"import os\n"})


def a_pth_in_the_data_scheme(made: Release) -> None:
    distribution(made, "venom_hf", extra={f"venom_hf-{VERSION}.data/purelib/x.pth": b"import os"})


def a_start_file(made: Release) -> None:
    distribution(made, "venom_hf", extra={"venom_hf.start": b"venom_hf:main\n"})


def a_sitecustomize(made: Release) -> None:
    distribution(made, "venom", extra={"sitecustomize.py": b""})


def a_usercustomize_folder(made: Release) -> None:
    distribution(made, "venom", extra={"usercustomize/__init__.py": b""})


def a_pth_of_another(made: Release) -> None:
    path = wheel(made.wheelhouse, "httpx", "1.3", files={"httpx/a": b"", "HTTPX.PTH": b"import os"})
    lock = made.root / "requirements" / "full.txt"
    from tools.releasing.release import sha256

    lock.write_text(f"httpx==1.3 --hash=sha256:{sha256(path)}\n")


def a_second_package(made: Release) -> None:
    distribution(made, "venom_hf", extra={"requests/__init__.py": b""})


def data_outside_of_packages(made: Release) -> None:
    distribution(made, "venom_hf", extra={f"venom_hf-{VERSION}.data/data/etc/x": b""})


def a_plugin_of_another_version(made: Release) -> None:
    for path in [*made.dist.rglob("venom_hf-*")]:
        path.unlink()
    distribution(made, "venom_hf", version="2026.12.0")


def metadata_of_another_version(made: Release) -> None:
    distribution(made, "venom_hf", said="2026.10.0")


def a_sibling_that_is_not_pinned(made: Release) -> None:
    distribution(made, "venom_hf", requires=f"venom>={VERSION}")


def no_sdist(made: Release) -> None:
    (made.dist / f"venom_hf-{VERSION}.tar.gz").unlink()


def a_wheel_of_the_release_before(made: Release) -> None:
    distribution(made, "venom_hf", version="2026.10.0")


def a_locked_wheel_is_missing(made: Release) -> None:
    next(made.wheelhouse.glob("httpx-*")).unlink()


def ours_is_missing(made: Release) -> None:
    next(made.wheelhouse.glob("venom_hf-*")).unlink()


def the_stranger(made: Release) -> None:
    wheel(made.wheelhouse, "venom", "2.0.0")


def a_package_that_nobody_locked(made: Release) -> None:
    wheel(made.wheelhouse, "requests", "2.0")


def another_version_than_locked(made: Release) -> None:
    next(made.wheelhouse.glob("httpx-*")).unlink()
    wheel(made.wheelhouse, "httpx", "1.4")


def another_file_of_the_locked_version(made: Release) -> None:
    wheel(made.wheelhouse, "httpx", "1.3", files={"httpx/__init__.py": b"changed"})


def another_build_of_ours(made: Release) -> None:
    wheel(made.wheelhouse, "venom_hf", VERSION, requires=(f"venom=={VERSION}",))


def one_that_is_no_wheel(made: Release) -> None:
    (made.wheelhouse / "odd.whl").write_bytes(b"")


Break = Callable[[Release], None]
BREAKS: dict[Break, tuple[str, str]] = {
    a_pth: ("startup", "venom_hf.pth runs at every start of Python"),
    a_pth_in_the_data_scheme: ("startup", "purelib/x.pth runs at every start"),
    a_start_file: ("startup", "venom_hf.start runs"),
    a_sitecustomize: ("startup", "sitecustomize.py runs"),
    a_usercustomize_folder: ("startup", "usercustomize/__init__.py runs"),
    a_pth_of_another: ("startup", "httpx-1.3-py3-none-any.whl: HTTPX.PTH runs"),
    a_second_package: ("startup", "requests/__init__.py is outside its package"),
    data_outside_of_packages: ("startup", "data/etc/x is outside its package"),
    a_plugin_of_another_version: ("lockstep", f"venom_hf-{VERSION}.tar.gz: missing"),
    metadata_of_another_version: ("lockstep", "its metadata says version 2026.10.0"),
    a_sibling_that_is_not_pinned: ("lockstep", "not pinned"),
    no_sdist: ("lockstep", f"venom_hf-{VERSION}.tar.gz: missing"),
    a_wheel_of_the_release_before: ("lockstep", "venom_hf-2026.10.0.tar.gz: not of release"),
    a_locked_wheel_is_missing: ("wheelhouse", "no wheel of httpx"),
    ours_is_missing: ("wheelhouse", "no wheel of venom-hf"),
    the_stranger: ("wheelhouse", f"venom-2.0.0-py3-none-any.whl: not of release {VERSION}"),
    a_package_that_nobody_locked: ("wheelhouse", "no lock names requests"),
    another_version_than_locked: ("wheelhouse", "the lock has httpx==1.3"),
    another_file_of_the_locked_version: ("wheelhouse", "not a file whose hash the lock has"),
    another_build_of_ours: ("wheelhouse", "not the one in dist/"),
    one_that_is_no_wheel: ("wheelhouse", "odd.whl: not a wheel's name"),
}
#: Rules that see the same break from another side: a wheel of another version is not ours to house.
TOGETHER = {
    a_plugin_of_another_version: {"lockstep", "wheelhouse"},
    a_wheel_of_the_release_before: {"lockstep", "wheelhouse"},
    the_stranger: {"wheelhouse", "startup"},
    one_that_is_no_wheel: {"wheelhouse", "startup"},
}


@pytest.mark.parametrize("broken", BREAKS, ids=lambda one: one.__name__)
def test_a_rule_is_broken(made: Release, broken: Break) -> None:
    """The lists and the statement are written over what is there: only the rule itself can tell."""
    broken(made)
    handed_out(made)
    rule, said = BREAKS[broken]
    found = red(made)
    assert said in found.get(rule, "")
    assert set(found) <= TOGETHER.get(broken, {rule}) | {"hashes"} & set(found)


def a_wheel_is_exchanged(made: Release) -> None:
    distribution(made, "venom_hf", extra={"venom_hf/late.py": b""})


def a_file_is_added(made: Release) -> None:
    (made.dist / "late.txt").write_text("")


def a_file_is_taken_away(made: Release) -> None:
    (made.wheelhouse / "requirements-full.txt").unlink()


def a_sum_is_wrong(made: Release) -> None:
    path = made.wheelhouse / SUMS
    path.write_text("0" * 64 + path.read_text()[64:])


def the_list_is_missing(made: Release) -> None:
    (made.dist / SUMS).unlink()


def the_statement_is_missing(made: Release) -> None:
    made.provenance.unlink()


LATE: dict[Break, tuple[str, str]] = {
    a_wheel_is_exchanged: ("hashes", f"the sum of venom_hf-{VERSION}-py3-none-any.whl is another"),
    a_file_is_added: ("provenance", "says nothing of late.txt"),
    a_file_is_taken_away: ("provenance", "requirements-full.txt is another file, or gone"),
    a_sum_is_wrong: ("hashes", "is another one"),
    the_list_is_missing: ("hashes", "dist/SHA256SUMS: missing"),
    the_statement_is_missing: ("provenance", "there is no statement"),
}


@pytest.mark.parametrize("broken", LATE, ids=lambda one: one.__name__)
def test_what_was_listed_is_changed_behind_the_list(made: Release, broken: Break) -> None:
    broken(made)
    rule, said = LATE[broken]
    assert said in red(made).get(rule, "")


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("--hash=sha256:", "--hash=sha256:" + "0" * 64 + " --hash=sha256:", "is not that of"),
        ("httpx==1.3 \\\n", "httpx==1.3 # \\\n", "httpx has no hash"),
        ("--no-index\n", "", "does not forbid an index"),
    ],
)
def test_a_file_with_another_hash(made: Release, before: str, after: str, said: str) -> None:
    """pip would take a wheel of either hash, or without one any."""
    path = made.wheelhouse / "requirements-full.txt"
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after))
    assert said in red(made)["hashes"]


def test_a_wheelhouse_alone(made: Release) -> None:
    """`make wheelhouse` makes no release: that is not red, and its own sums are looked at."""
    (made.dist / SUMS).unlink()
    made.provenance.unlink()
    assert asked("hashes", made).state == "not run"
    a_sum_is_wrong(made)
    assert asked("hashes", made).state == "red"


def test_every_rule_has_a_word_for_the_documentation() -> None:
    assert all(rule.__doc__ for name, rule in RULES.items() if name not in ("pins", "strangers"))
