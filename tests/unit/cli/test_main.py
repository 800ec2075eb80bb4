"""The entry point: what it imports, how it helps, and what it ends with."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from venom_core.cli import main
from venom_core.cli.exit_codes import MEANINGS, ExitCode, exit_code_of
from venom_core.sdk import errors
from venom_core.testing.deadlines import patience

HEAVY = ("rich", "httpx", "aiohttp", "fastapi", "starlette", "uvicorn", "pydantic", "sqlalchemy",
         "psutil", "filelock", "tomlkit", "asyncio")  # fmt: skip


def imported_by(*arguments: str) -> set[str]:
    """Modules that a command line leaves imported."""
    code = (
        "import sys; from venom_core.cli.main import run_command; "
        f"run_command({list(arguments)!r}); print('\\n' + '\\n'.join(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=patience(60),
        check=True,
    )
    return set(done.stdout.splitlines())


@pytest.mark.parametrize("arguments", [("--version",), ("--help",)])
def test_version_and_help_import_nothing_heavy(arguments: tuple[str, ...]) -> None:
    modules = imported_by(*arguments)
    assert "click" in modules
    assert not modules & set(HEAVY)
    assert not [name for name in modules if name.startswith("venom_core.cli.commands.")]


def test_completing_a_command_imports_none_of_them() -> None:
    code = (
        "import sys, click; from venom_core.cli.main import cli; context = click.Context(cli); "
        "print(*(item.value for item in cli.shell_complete(context, 's'))); "
        "print(*(item.value for item in cli.shell_complete(context, '--h'))); "
        "print(*(name for name in sys.modules if '.cli.commands.' in name), sep='\\n')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=patience(60),
        check=True,
    )
    commands, options, imported = done.stdout.split("\n")[:3]
    assert commands.split() == [name for name in main.COMMANDS if name.startswith("s")]
    assert "--help" in options.split() and imported == ""


def test_every_command_of_the_table_is_there() -> None:
    for name, (place, line) in main.COMMANDS.items():
        module, _, attribute = place.partition(":")
        command = getattr(importlib.import_module(module), attribute)
        assert isinstance(command, click.Command), name
        assert line.endswith("."), name


def every_command() -> Iterator[tuple[str, click.Command]]:
    def below(group: click.Group, prefix: str) -> Iterator[tuple[str, click.Command]]:
        context = click.Context(group)
        for name in group.list_commands(context):
            command = group.get_command(context, name)
            assert command is not None
            yield f"{prefix} {name}", command
            if isinstance(command, click.Group):
                yield from below(command, f"{prefix} {name}")

    yield from below(main.cli, "venom")


@pytest.mark.parametrize(("path", "command"), list(every_command()), ids=lambda v: str(v))
def test_each_help_teaches_with_an_example(path: str, command: click.Command) -> None:
    shown = command.get_help(click.Context(command, info_name=path))
    examples = [line for line in shown.splitlines() if line.strip().startswith(("venom ", "KEY="))
                or f"| {path}" in line]  # fmt: skip
    assert any(path.removesuffix(" list") in line for line in examples), shown


def test_help_tells_the_exit_codes(cli) -> None:
    shown = cli("--help").out
    for code, meaning in MEANINGS.items():
        assert f"{code.value} " in shown and meaning in shown


def test_the_documentation_says_the_same_of_them() -> None:
    page = (Path(__file__).parents[3] / "docs" / "cli.md").read_text(encoding="utf-8")
    for code, meaning in MEANINGS.items():
        assert f"| {code.value} | {meaning}" in page


def test_an_unknown_command_is_a_usage_error_with_a_hint(cli) -> None:
    done = cli("lst")
    assert done.code == ExitCode.USAGE
    assert "venom list" in done.err and done.out == ""


def test_no_command_shows_the_help(cli) -> None:
    done = cli()
    assert (done.code, done.err) == (0, "") and "quickstart" in done.out


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.InvalidRequest("x"), 2),
        (errors.InvalidApiKey("x"), 5),
        (errors.Forbidden("x"), 5),
        (errors.ModelNotFound("x"), 4),
        (errors.ModelNotFound("x", code="no_model"), 3),
        (errors.AmbiguousModel("x"), 6),
        (errors.QueueFull("x"), 3),
        (errors.UpstreamIncomplete("x"), 3),
        (errors.EngineMissing("x"), 3),
        (errors.UpstreamTimeout("x"), 3),
        (errors.StorageError("x"), 7),
        (errors.VenomError("x"), 1),
    ],
)
def test_every_refusal_has_its_exit_code(error: errors.VenomError, code: int) -> None:
    assert exit_code_of(error) == code


def test_a_refusal_is_sentence_fix_and_code_on_stderr(cli) -> None:
    done = cli("show", "nothing")
    assert (done.code, done.out) == (ExitCode.NOT_FOUND, "")
    lines = done.err.splitlines()
    assert lines[0].startswith("Error: ") and "nothing" in lines[0]
    assert lines[1].startswith("Fix:   ") and lines[2] == "Code:  model_not_found"
    assert "Traceback" not in done.err


def test_with_json_a_refusal_is_the_one_document_on_stdout(cli) -> None:
    done = cli("show", "nothing", "--json")
    assert (done.code, done.err) == (ExitCode.NOT_FOUND, "")
    assert json.loads(done.out)["error"]["code"] == "model_not_found"


def test_a_usage_error_is_a_json_record_too(cli) -> None:
    done = cli("list", "--json", "--nonsense")
    assert done.code == ExitCode.USAGE
    assert json.loads(done.out)["error"]["code"] == "usage"


def test_a_fault_of_ours_shows_no_trace_and_logs_one(cli, monkeypatch, paths) -> None:
    from venom_core.cli.connection.local import LocalVenom

    async def broken(self: object) -> None:
        raise RuntimeError("a secret detail")

    monkeypatch.setattr(LocalVenom, "models", broken)
    done = cli("list")
    assert done.code == ExitCode.FAILED
    assert "Traceback" not in done.err and "secret detail" not in done.err
    assert "RuntimeError: a secret detail" in (paths.logs_dir / "venom.log").read_text()


def test_after_two_dashes_json_is_somebodys_text(cli) -> None:
    from venom_core.cli.failures import wants_json

    assert wants_json(["run", "--json", "x"])
    assert not wants_json(["run", "--", "--json"])
