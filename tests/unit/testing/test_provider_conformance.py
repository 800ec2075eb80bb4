"""The kit as tests of pytest: run over good and bad providers by a pytest of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from venom_core.testing import ProviderConformance
from venom_core.testing.conformance.rules import RULES
from venom_core.testing.deadlines import patience

HEAD = """
from dataclasses import replace

import pytest

from tests.unit.testing import broken_answers, manifest
from tests.unit.testing.lawful import lawful
from venom_core.testing import ProviderConformance, trial

TRIAL = trial(manifest.__name__, engine="memory")(lawful)


class TestLawful(ProviderConformance):
    @pytest.fixture
    def trial(self):
        return TRIAL
"""


def run(folder: Path, text: str, *arguments: str) -> str:
    """Run the tests of a text; give what pytest printed."""
    place = folder / "test_it.py"
    place.write_text(HEAD + text)
    root = Path(__file__).resolve().parents[3]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-rA", "-p", "no:cacheprovider", "-p", "no:xdist",
         "--import-mode=importlib", "-c", "/dev/null", f"--rootdir={folder}", *arguments,
         str(place)],
        cwd=root, capture_output=True, text=True, timeout=patience(120), check=False,
    )  # fmt: skip
    return done.stdout + done.stderr


def test_every_rule_is_a_test() -> None:
    assert {f"test_{name}" for name in RULES} <= set(vars(ProviderConformance))


def test_a_good_provider_passes_and_says_what_was_skipped(tmp_path: Path) -> None:
    said = run(tmp_path, "")
    assert f"{len(RULES) - 1} passed, 1 skipped" in said
    assert "The plugin is not installed" in said


def test_a_broken_rule_fails_with_its_sentence(tmp_path: Path) -> None:
    said = run(
        tmp_path,
        'manifest.SPEC = replace(manifest.SPEC, factory=f"{broken_answers.__name__}:UsageTwice")\n',
        "-k", "one_usage or one_finish",
    )  # fmt: skip
    assert "1 failed, 1 passed" in said
    assert "the usage is told 2 times" in said
    assert "/docs/plugins/conformance#one_usage" in said


OVERRIDE = "    def test_one_usage(self, conformance):\n        "
REASON = '    @pytest.mark.xfail(reason="Acme tells it twice")\n'


@pytest.mark.parametrize(
    ("override", "word"),
    [
        (OVERRIDE + "pass\n", "does not say why"),
        ("    test_one_usage = None\n", "does not say why"),
        ("    @pytest.mark.xfail\n" + OVERRIDE + "pass\n", "does not say why"),
        (REASON + OVERRIDE + "super().test_one_usage(conformance)\n", "xpassed"),
        (REASON + OVERRIDE + "assert False\n", "xfailed"),
    ],
    ids=["silent", "none", "no-reason", "reason", "reason-and-broken"],
)
def test_overriding_a_rule_takes_a_reason(override: str, word: str, tmp_path: Path) -> None:
    said = run(tmp_path, override, "-k", "one_usage")
    assert word in said, said


def test_an_override_from_a_mixin_takes_a_reason_too(tmp_path: Path) -> None:
    text = "class Mixin:\n    def test_frames(self): pass\n\n\n"
    text += "class TestOther(Mixin, TestLawful): pass\n"
    assert "does not say why" in run(tmp_path, "\n\n" + text)
