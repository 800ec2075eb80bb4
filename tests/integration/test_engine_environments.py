"""An environment made by the real pip, of small wheels in a folder that pip is configured for."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests.made_wheels import wheel
from venom_core.installing.environments import EnvironmentInstaller, EnvironmentPlan
from venom_core.sdk.environments import Environment
from venom_core.sdk.pip import InstallFailed
from venom_core.sdk.provider import BuildProgress
from venom_core.testing.scripted import ENVIRONMENT


@pytest.fixture
def wheels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "index"
    wheel(folder, "acme-base", "2.5")
    files = {"acme_engine/__init__.py": b"import acme_base\n"}
    wheel(folder, "acme-engine", "1.0", files=files, requires=("acme-base>=2",))
    wheel(folder, "acme-engine", "1.1", files={"acme_engine/__init__.py": b"raise SystemError"})
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    return folder


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    return Environment(ENVIRONMENT, tmp_path / "data")


async def made(installer: EnvironmentInstaller, plan: EnvironmentPlan) -> list[BuildProgress]:
    return [step async for step in installer.install(plan)]


def test_pip_fills_an_environment_that_is_not_ours(wheels: Path, environment: Environment) -> None:
    installer = EnvironmentInstaller(environment)
    installer.check()
    plan = installer.plan()
    assert plan.installed == ["acme-base==2.5", "acme-engine==1.0"]
    assert 0 < plan.size_bytes < 10_000
    steps = asyncio.run(made(installer, plan))
    assert steps[-1].status == "completed" and environment.state() == "ready"
    code = "import acme_engine, sys; print(sys.prefix); import pip"
    done = subprocess.run(
        [environment.python, "-I", "-c", code], capture_output=True, text=True, timeout=60
    )
    assert done.stdout.strip() == str(environment.folder)
    assert "No module named 'pip'" in done.stderr
    ours = subprocess.run(
        [sys.executable, "-c", "import acme_engine"], capture_output=True, timeout=60
    )
    assert ours.returncode != 0  # this interpreter got nothing of it


def test_what_is_excluded_is_never_fetched(wheels: Path, environment: Environment) -> None:
    wheel(wheels, "acme-vision", "3.0", files={"acme_vision.py": b"raise SystemError"})
    needs = ("acme-base>=2", "acme-vision")
    files = {"acme_engine/__init__.py": b"import acme_base\n"}
    wheel(wheels, "acme-engine", "1.0", files=files, requires=needs)
    declared = replace(ENVIRONMENT, excludes=("Acme_Vision",))
    without = Environment(declared, environment.folder.parents[1])
    installer = EnvironmentInstaller(without)
    plan = installer.plan()
    assert plan.installed == ["acme-base==2.5", "acme-engine==1.0"]
    assert asyncio.run(made(installer, plan))[-1].status == "completed"
    assert not list(without.folder.glob("lib/python*/site-packages/acme_vision*"))


def test_a_wheel_that_was_swapped_since_the_plan_is_refused(
    wheels: Path, environment: Environment
) -> None:
    installer = EnvironmentInstaller(environment)
    plan = installer.plan()
    wheel(wheels, "acme-engine", "1.0", files={"acme_engine/__init__.py": b"evil = True\n"})
    with pytest.raises(InstallFailed) as raised:
        asyncio.run(made(installer, plan))
    assert raised.value.code == "hash_mismatch" and environment.state() == "missing"


def test_packages_that_nobody_has_are_said(
    wheels: Path, environment: Environment, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "empty"))
    with pytest.raises(InstallFailed) as raised:
        EnvironmentInstaller(environment).plan()
    assert raised.value.code == "environment_not_available" and raised.value.output
