"""`venom operations`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from venom_core.cli.exit_codes import ExitCode
from venom_core.sdk.errors import StorageError
from venom_core.sdk.provider import BuildProgress, Model, PullProgress
from venom_core.testing import scripted
from venom_core.testing.scripted import BUILDS, PULLS, SCRIPTS, Script

HALF = PullProgress("pulling", "Fetching", 50, 100)
DONE = PullProgress("completed", "It is ready", 100, 100)
FULL = StorageError("The disk is full.", code="disk_full", fix="Free some space.")


def test_nothing_yet_says_what_would_be_here(cli, paths) -> None:
    assert "venom pull NAME" in cli("operations").out
    assert json.loads(cli("operations", "--json").out) == {
        "operations": [],
        "next_cursor": None,
    }
    assert not paths.store_file.exists(), "looking made a store"


def test_a_table_and_its_json(cli) -> None:
    PULLS["offered"] = [HALF, FULL]
    assert cli("pull", "offered").code == ExitCode.STORAGE
    (record,) = json.loads(cli("operations", "--json").out)["operations"]
    assert (record["status"], record["fix"]) == ("failed", "Free some space.")
    head, row = cli("operations").out.splitlines()
    assert head.split() == ["ID", "WHAT", "MODEL", "STATUS", "PROGRESS", "MESSAGE"]
    assert row.startswith(record["operation_id"][:8])
    assert "50 %" in row and "The disk is full." in row


def test_resume_without_a_server_goes_on_to_the_end(cli) -> None:
    PULLS["offered"] = [HALF, FULL]
    cli("pull", "offered")
    (record,) = json.loads(cli("operations", "--json").out)["operations"]
    PULLS["offered"] = [DONE]
    done = cli("operations", "resume", record["operation_id"][:8])
    assert (done.code, done.out) == (0, "offered: completed\n")


def test_cancel_forgets_what_came(cli) -> None:
    PULLS["offered"] = [HALF, FULL]
    cli("pull", "offered")
    (record,) = json.loads(cli("operations", "--json").out)["operations"]
    done = cli("operations", "cancel", record["operation_id"])
    assert (done.code, done.out) == (0, "offered: cancelled\n")
    assert scripted.SEEN.calls.count("forget offered") == 1
    refused = cli("operations", "cancel", record["operation_id"])
    assert (refused.code, "Code:  operation_ended" in refused.err) == (ExitCode.CONFLICT, True)
    assert scripted.SEEN.calls.count("forget offered") == 1


@pytest.mark.parametrize(("start", "code"), [("zzz", ExitCode.NOT_FOUND), ("", ExitCode.NOT_FOUND)])
def test_an_id_that_is_none(cli, start: str, code: ExitCode) -> None:
    PULLS["offered"] = [DONE]
    cli("pull", "offered")
    assert cli("operations", "pause", start).code == code


def folder_to_build(path: Path) -> None:
    SCRIPTS["city"] = Script((), Model("city", "folder", location=path))


def test_a_build_is_shown_in_percent_to_its_end(cli, tmp_path: Path) -> None:
    folder_to_build(tmp_path)
    BUILDS["scripted://city"] = [
        BuildProgress("building", "Half of it", 50), BuildProgress("completed", "It is built", 100),
    ]  # fmt: skip
    done = cli("build", "script", "city", "--precision", "fp32", "--json")
    assert done.code == 0, done.err
    record = json.loads(done.out)
    assert (record["status"], record["reference"]) == ("completed", "scripted://city-fp32-cpu")
    assert "city: 100 %, It is built" in done.err
    assert "build" in cli("operations").out


@pytest.mark.parametrize(
    ("words", "code", "param"),
    [
        (("none", "city"), ExitCode.NOT_FOUND, "builder_not_found"),
        (("../x", "city"), ExitCode.NOT_FOUND, "builder_not_found"),
        (("script", "city", "--precision", "x"), ExitCode.USAGE, "unknown_precision"),
        (("script", "nobody"), ExitCode.NOT_FOUND, "model_not_found"),
    ],
)
def test_what_cannot_be_built(
    cli, tmp_path: Path, words: tuple[str, ...], code: ExitCode, param: str
) -> None:
    folder_to_build(tmp_path)
    refused = cli("build", *words)
    assert (refused.code, f"Code:  {param}" in refused.err) == (code, True), refused.err
