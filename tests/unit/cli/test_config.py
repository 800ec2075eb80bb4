"""`venom config` where no server runs."""

from __future__ import annotations

import io
import json
import sys

import pytest

from venom_core.cli.exit_codes import ExitCode
from venom_core.settings.paths import Paths


def test_set_and_unset_keep_comments_and_take_either_name(cli, paths: Paths) -> None:
    paths.make(paths.home)
    paths.config_file.write_text("# mine\n[server]\nport = 7  # why\n")
    assert cli("config", "set", "server.port", "9000").out.splitlines() == ["Changed: VENOM_PORT."]
    assert cli("config", "set", "VENOM_ALLOWED_HOSTS", "a.example,b.example").code == ExitCode.OK
    assert paths.config_file.read_text() == (
        '# mine\n[server]\nport = 9000  # why\nallowed_hosts = ["a.example", "b.example"]\n'
    )
    done = json.loads(cli("config", "unset", "server.port", "VENOM_ALLOWED_HOSTS", "--json").out)
    assert done["changed_keys"] == ["VENOM_PORT", "VENOM_ALLOWED_HOSTS"]
    assert "port" not in paths.config_file.read_text()
    assert cli("config", "set", "server.log_level", "info").out == "Nothing was changed.\n"


@pytest.mark.parametrize(
    ("arguments", "code", "named"),
    [
        (("set", "server.port", "x"), "invalid_setting", "server.port"),
        (("set", "server.prot", "1"), "unknown_setting", "server.port"),
        (("set", "VENOM_PROT", "1"), "unknown_setting", "VENOM_PORT"),
        (("unset", "no.such"), "unknown_setting", "no.such"),
        (("restore", "../config.toml"), "config_backup_not_found", "venom config backups"),
        (("diff", "x"), "config_backup_not_found", "venom config backups"),
    ],
)
def test_bad_input_is_a_sentence_with_a_fix(cli, arguments, code, named) -> None:
    done = cli("config", *arguments)
    assert done.code != ExitCode.OK
    assert code in done.err and named in done.err
    assert "Fix:" in done.err


def test_one_of_the_environment_names_the_variable(cli, monkeypatch) -> None:
    monkeypatch.setenv("VENOM_PORT", "5")
    done = cli("config", "set", "server.port", "6")
    assert "set_by_environment" in done.err and "VENOM_PORT" in done.err


def test_a_value_from_the_standard_input(cli, paths: Paths, monkeypatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"Be kind.\n")))
    assert cli("config", "set", "SIMPLE_MODE_SYSTEM_PROMPT", "-").code == ExitCode.OK
    assert 'simple_mode_system_prompt = "Be kind."' in paths.config_file.read_text()
    missing = cli("config", "set", "SIMPLE_MODE_SYSTEM_PROMPT")
    assert missing.code == ExitCode.USAGE and "standard input" in missing.err


def test_backups_are_listed_compared_and_restored(cli, paths: Paths) -> None:
    assert "no backup yet" in cli("config", "backups").out
    assert "no backup yet" in cli("config", "diff").out
    for port in ("1", "2", "3"):
        cli("config", "set", "server.port", port)
    listed = json.loads(cli("config", "backups", "--json").out)["backups"]
    assert len(listed) == 2
    assert listed[0]["filename"] in cli("config", "backups").out
    told = json.loads(cli("config", "diff", "--json").out)
    assert told == {
        "backup": listed[0]["filename"],
        "differences": [{"key": "server.port", "before": 2, "after": 3}],
    }
    assert "server.port" in cli("config", "diff", listed[1]["filename"]).out
    assert cli("config", "restore", listed[1]["filename"]).out == "Restored: VENOM_PORT.\n"
    assert "port = 1" in paths.config_file.read_text()
    assert "is as in" in cli("config", "diff", listed[1]["filename"]).out


EDITORS = {
    "good": ("import sys; open(sys.argv[1], 'w').write('[server]\\nport = 9 # mine\\n')", None),
    "no change": ("", None),
    "bad": ("import sys; open(sys.argv[1], 'w').write('[server]\\nport = -1\\n')",
            "invalid_setting"),
    "nonsense": ("import sys; open(sys.argv[1], 'w').write('[[[')", "invalid_config_file"),
    "fails": ("raise SystemExit(3)", "editor_failed"),
}  # fmt: skip


@pytest.mark.parametrize("case", EDITORS)
def test_edit_keeps_what_can_be_used(cli, paths: Paths, monkeypatch, case: str) -> None:
    source, code = EDITORS[case]
    paths.make(paths.home)
    before = "[server]\nport = 7\n"
    paths.config_file.write_text(before)
    editor = paths.home / "editor.py"
    editor.write_text(source)
    monkeypatch.setenv("VISUAL", f"{sys.executable} {editor}")
    done = cli("config", "edit")
    if code is not None:
        assert done.code != ExitCode.OK and code in done.err
    changed = paths.config_file.read_text()
    assert changed == ("[server]\nport = 9 # mine\n" if case == "good" else before)


def test_an_editor_that_is_not_there(cli, monkeypatch) -> None:
    monkeypatch.setenv("VISUAL", "/no/such/editor")
    done = cli("config", "edit")
    assert "editor_not_found" in done.err and "EDITOR=nano" in done.err


def test_edit_mends_a_broken_file(cli, paths: Paths, monkeypatch) -> None:
    paths.make(paths.home)
    paths.config_file.write_text("[[[")
    editor = paths.home / "editor.py"
    editor.write_text(EDITORS["good"][0])
    monkeypatch.setenv("VISUAL", f"{sys.executable} {editor}")
    assert cli("config", "edit").code == ExitCode.OK
    rows = json.loads(cli("config", "show", "--json").out)
    assert rows["warnings"] == []
    assert next(r["value"] for r in rows["settings"] if r["key"] == "server.port") == 9
