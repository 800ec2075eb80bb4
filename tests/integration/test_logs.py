"""`venom logs` as a process, and a server whose log lies on a full disk."""

from __future__ import annotations

import json
import signal
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from tests.unit.cli.processes import running, venom
from venom_core.testing.deadlines import patience

FULL = Path("/dev/full")
SECRETS = {
    "SOMEBODYS_TOKEN": "of-the-environment-4711",
    "api_key": "of-the-settings-4711",
    "password": "of-an-address-4711",
    "key": "of-the-key-file-4711",
    "bearer": "of-the-file-of-secrets-4711",
}


@pytest.mark.skipif(not FULL.exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize("form", ["text", "json"])
def test_a_log_on_a_full_disk_costs_no_request(tmp_path: Path, form: str) -> None:
    home = tmp_path / "home"
    (home / "logs").mkdir(parents=True)
    (home / "logs" / "venom.log").symlink_to(FULL)
    serve = ("serve", "--port", "0", "--profile", "llm_off")
    with running(home, *serve, VENOM_LOG_FORMAT=form) as server:
        url = server.url()
        for _ in range(5):
            with pytest.raises(urllib.error.HTTPError) as refused:  # each of them is logged
                urllib.request.urlopen(f"{url}/v1/none", timeout=patience(30))
            assert json.loads(refused.value.read())["error"]["code"]
            refused.value.close()
            with urllib.request.urlopen(f"{url}/healthz", timeout=patience(30)) as answer:
                assert answer.status == 200
        assert server.end() == 0
    said = "".join(server.lines)
    assert said.count("cannot be written (No space left on device)") == 1, said
    assert "Traceback" not in said and "Logging error" not in said


def test_ctrl_c_ends_following_well(tmp_path: Path) -> None:
    home = tmp_path / "home"
    (home / "logs").mkdir(parents=True)
    log = home / "logs" / "venom.log"
    log.write_text("first\n")
    with running(home, "logs", "-f") as following:
        following.until("Waiting for what is written")
        with log.open("a") as stream:
            stream.write("second\n")
        following.until("second")
        assert following.end(signal.SIGINT) == 0
    assert "Traceback" not in "".join(following.lines)


@pytest.mark.parametrize("config", ["", "no TOML"])
def test_what_an_engine_tells_of_our_secrets_is_masked(tmp_path: Path, config: str) -> None:
    home = tmp_path / "home"
    engines = home / "providers" / "remote" / "engines"
    engines.mkdir(parents=True)
    keys = tmp_path / "keys"
    keys.write_text(f"{SECRETS['key']}\n")
    (home / "config.toml").write_text(
        config
        or f'[providers.remote]\napi_key = "{SECRETS["api_key"]}"\n'
        f'urls = ["http://me:{SECRETS["password"]}@127.0.0.1:9"]\n'
    )
    hidden = f'[providers.remote]\nbearer = "{SECRETS["bearer"]}"\n'
    (home / "secrets.toml").write_text(hidden)
    (engines / "m.log").write_text("".join(f"{n}={v}\x1b[2J\n" for n, v in SECRETS.items()))
    token = SECRETS["SOMEBODYS_TOKEN"]
    done = venom(home, "logs", "remote/m", SOMEBODYS_TOKEN=token, VENOM_API_KEY_FILE=str(keys))
    of_the_file = () if not config else ("api_key", "password")
    shown = [SECRETS[name] if name in of_the_file else "********" for name in SECRETS]
    assert done.stdout.splitlines() == [
        f"{name}={value}\\x1b[2J" for name, value in zip(SECRETS, shown, strict=True)
    ]
