"""A plugin that does what it must not, met by a command without a server: it says so and ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import pytest

from tests.unit.cli.conftest import Cli
from venom_core.cli.exit_codes import ExitCode
from venom_core.plugins.guarded import SECONDS
from venom_core.sdk.errors import RateLimited, StorageError
from venom_core.testing import scripted
from venom_core.testing.scripted import Script, ScriptedProvider, say

FAULTS: dict[str, BaseException] = {
    "ValueError": ValueError("secret"),
    "SystemExit": SystemExit(0),
    "KeyboardInterrupt": KeyboardInterrupt(),
    "CancelledError": asyncio.CancelledError(),
}
COMMANDS = {
    "describe": ("show", "m"),
    "plan_pull": ("pull", "scripted://new"),
    "pull": ("pull", "scripted://new"),
    "remove": ("rm", "m", "--yes"),
    "health": ("use", "m"),
}


@pytest.fixture(autouse=True)
def _model() -> None:
    scripted.SCRIPTS["m"] = Script(say("hello"))


def breaks(monkeypatch: pytest.MonkeyPatch, method: str, error: BaseException) -> None:
    async def call(*_arguments: Any) -> Any:
        raise error

    async def stream(*_arguments: Any) -> AsyncGenerator[Any, None]:
        raise error
        yield

    monkeypatch.setattr(ScriptedProvider, method, stream if method == "pull" else call)


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("method", COMMANDS)
def test_a_fault_is_said_and_the_command_ends(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, method: str, fault: str
) -> None:
    breaks(monkeypatch, method, FAULTS[fault])
    result = cli(*COMMANDS[method])
    code = "health_failed" if method == "health" else "upstream_error"
    assert (result.code, f"Code:  {code}" in result.err) == (ExitCode.UNAVAILABLE, True), result
    assert "secret" not in result.err + result.out


@pytest.mark.parametrize("fault", FAULTS)
def test_ps_goes_on_without_it(cli: Cli, monkeypatch: pytest.MonkeyPatch, fault: str) -> None:
    breaks(monkeypatch, "ps", FAULTS[fault])
    assert cli("ps").code == ExitCode.OK


@pytest.mark.parametrize("method", ["describe", "plan_pull", "remove", "health"])
def test_one_that_hangs_is_not_waited_for(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    async def hang(*_arguments: Any) -> None:
        await asyncio.sleep(1e6)

    monkeypatch.setitem(SECONDS, method, 0.1)
    monkeypatch.setattr(ScriptedProvider, method, hang)
    result = cli(*COMMANDS[method])
    code = "health_timeout" if method == "health" else "upstream_timeout"
    assert (result.code, f"Code:  {code}" in result.err) == (ExitCode.UNAVAILABLE, True), result


@pytest.mark.parametrize(
    ("error", "exit_code"),
    [
        (RateLimited("Slowly.", fix="Wait.", retry_after=7), ExitCode.UNAVAILABLE),
        (StorageError("The disk is read-only."), ExitCode.STORAGE),
    ],
)
@pytest.mark.parametrize("method", ["describe", "plan_pull", "pull", "remove"])
def test_a_refusal_of_its_own_is_said_as_it_is(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, method: str, error: Any, exit_code: ExitCode
) -> None:
    breaks(monkeypatch, method, error)
    result = cli(*COMMANDS[method])
    assert result.code == exit_code
    assert error.message in result.err
    assert error.code in result.err
