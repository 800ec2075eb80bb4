"""Secrets: in a file of their own, never read back."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from tests.unit.settings.specs import acme
from venom_core.sdk.errors import Conflict, InvalidRequest
from venom_core.sdk.masking import MASK, masked
from venom_core.sdk.spec import Setting
from venom_core.settings import backups
from venom_core.settings.layers import Settings
from venom_core.settings.paths import Paths

SPEC = acme(
    Setting("host", "url", "http://127.0.0.1:1", "Where.", env_aliases=("ACME_HOST",)),
    Setting("slots", "int", 2, "How many.", minimum=1, maximum=8),
    Setting("mode", "str", "fast", "Which way.", choices=("fast", "slow")),
    Setting("token", "str", None, "A secret.", secret=True, env_aliases=("ACME_TOKEN",)),
    Setting("pin", "int", None, "A secret number.", secret=True, minimum=1, maximum=10**9),
    Setting("nodes", "list", (), "Several.", items="url"),
)
TOKEN, PIN = "providers.acme-lab.token", "providers.acme-lab.pin"


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return Paths.at(tmp_path)


def value(paths: Paths, name: str = "token"):
    return Settings.load(paths).provider(SPEC).values[name]


def test_a_secret_goes_into_its_own_file_for_its_owner_alone(paths):
    found = Settings.load(paths)
    paths.secrets_file.write_text("# mine\n")
    paths.secrets_file.chmod(0o644)
    done = found.change({TOKEN: "hunter22"}, [SPEC])
    assert (done.changed, done.backup) == ((TOKEN,), None)
    assert not paths.config_file.exists()
    assert paths.secrets_file.stat().st_mode & 0o777 == 0o600
    assert "# mine" in paths.secrets_file.read_text()
    assert value(paths) == "hunter22"
    assert masked("hunter22") == MASK
    row = next(row for row in found.rows([SPEC]) if row["key"] == TOKEN)
    assert (row["value"], row["origin"]) == (MASK, "file")


def test_one_in_config_toml_counts_and_is_told_and_moves(paths):
    paths.config_file.write_text('[providers.acme-lab]\ntoken = "hunter22"\nslots = 3\n')
    found = Settings.load(paths)
    assert found.provider(SPEC).values["token"] == "hunter22"
    assert TOKEN in found.warnings[0]
    assert "hunter22" not in str(found.warnings)
    found.change({TOKEN: "hunter33"}, [SPEC])
    assert "token" not in paths.config_file.read_text()
    assert value(paths) == "hunter33"


def test_removing_one_removes_it_everywhere(paths):
    found = Settings.load(paths)
    found.change({TOKEN: "hunter22"}, [SPEC])
    paths.config_file.write_text('[providers.acme-lab]\ntoken = "hunter33"\n')
    assert found.change({TOKEN: None}, [SPEC]).changed == (TOKEN,)
    assert value(paths) is None
    assert "hunter" not in paths.config_file.read_text() + paths.secrets_file.read_text()


@pytest.mark.parametrize(("key", "secret"), [(TOKEN, "hunter22"), (PIN, 123456)])
def test_a_mask_that_is_sent_back_leaves_the_secret_alone(paths, key, secret):
    found = Settings.load(paths)
    found.change({key: secret}, [SPEC])
    done = found.change({key: MASK, "providers.acme-lab.slots": 4}, [SPEC])
    assert done.changed == ("providers.acme-lab.slots",)
    assert value(paths, key.rpartition(".")[2]) == secret


def test_a_mask_where_no_secret_is_sets_none(paths):
    found = Settings.load(paths)
    assert found.change({TOKEN: MASK}, [SPEC]).changed == ()
    assert value(paths) is None


def test_an_address_with_its_password_masked_is_left_alone(paths):
    found = Settings.load(paths)
    host, nodes = "providers.acme-lab.host", "providers.acme-lab.nodes"
    found.change(
        {host: "http://me:hunter22@h/p", nodes: ["http://me:hunter22@n", "http://o"]}, [SPEC]
    )
    rows = {row["key"]: row["value"] for row in found.rows([SPEC])}
    assert "hunter22" not in str(rows)
    assert found.change({host: rows[host], nodes: list(rows[nodes])}, [SPEC]).changed == ()
    with pytest.raises(InvalidRequest) as caught:
        found.change({host: rows[host].replace("@h", "@other")}, [SPEC])
    assert "mask" in caught.value.message
    assert value(paths, "host") == "http://me:hunter22@h/p"


def test_a_form_that_sends_everything_back_changes_nothing(paths):
    env = {"ACME_TOKEN": "hunter22", "VENOM_PORT": "5", "ACME_HOST": "http://me:hunter22@h"}
    found = Settings.load(paths, env)
    shown = {row["key"]: row["value"] for row in found.rows([SPEC])}
    assert found.change(shown, [SPEC]).changed == ()
    assert not paths.config_file.exists()


def test_one_of_the_environment_is_named_and_not_shown(paths):
    found = Settings.load(paths, {"ACME_TOKEN": "hunter22"})
    with pytest.raises(Conflict) as caught:
        found.change({TOKEN: "hunter33"}, [SPEC])
    assert "ACME_TOKEN" in caught.value.message
    assert "hunter" not in str(caught.value.record())


@pytest.mark.parametrize("bad", ["hunter2x", 0, 1.5, True, ["hunter2x"], {"a": "hunter2x"}])
def test_a_refused_secret_is_in_no_sentence(paths, bad):
    with pytest.raises(InvalidRequest) as caught:
        Settings.load(paths).change({PIN: bad}, [SPEC])
    assert "hunter2x" not in str(caught.value.record())
    assert caught.value.param == PIN


def test_no_backup_has_one(paths):
    found = Settings.load(paths)
    found.change({TOKEN: "hunter22", "providers.acme-lab.slots": 3}, [SPEC])
    found.change({TOKEN: "hunter33", "providers.acme-lab.slots": 4}, [SPEC])
    kept = [path.read_text() for path in backups.folder(paths).iterdir()]
    assert kept
    assert "hunter" not in "".join(kept)


def test_a_restore_leaves_secrets_as_they_are(paths):
    found = Settings.load(paths)
    found.change({"server.port": 5, TOKEN: "hunter22"}, [SPEC])
    name = found.change({"server.port": 6}).backup
    found.change({TOKEN: "hunter33"}, [SPEC])
    assert found.restore(name).changed == ("server.port",)
    assert tomllib.loads(paths.config_file.read_text())["server"]["port"] == 5
    assert value(paths) == "hunter33"


@pytest.mark.skipif("sys.platform == 'win32'", reason="Windows has no such modes")
def test_a_file_that_others_can_read_is_told(paths):
    paths.secrets_file.write_text("")
    paths.secrets_file.chmod(0o644)
    assert "chmod 600" in Settings.load(paths).warnings[0]
