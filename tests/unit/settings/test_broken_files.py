"""Whatever stands in the files: the next start is not stopped, and says what it works with."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import tomllib
from pathlib import Path
from typing import ClassVar

import pytest

from tests.unit.settings.test_secrets import SPEC
from venom_core.sdk.errors import InvalidRequest
from venom_core.settings import backups, file
from venom_core.settings.core import CoreSettings
from venom_core.settings.layers import Settings
from venom_core.settings.paths import Paths

GOOD = "# mine\n[server]\nport = 7\n[chat]\nqueue_size = 3\n"

BROKEN = {
    "nonsense": (b"what is this?\n", "line 1"),
    "half a line": (b"[server]\nport = \n", "line 2"),
    "a table twice": (b"[server]\nport = 1\n[server]\nport = 2\n", "line 3"),
    "JSON": (b'{"server": {"port": 1}}', "line 1"),
    "latin-2": ("# zażółć\n[server]\nport = 1\n".encode("iso-8859-2"), "UTF-8"),
    "UTF-16 cut in a character": (b"\xff\xfe[\x00s\x00x", "UTF-16"),
    "zero bytes": (b"\0" * 512, "not"),
    "a deep array": (b"a = " + b"[" * 5000, "too many"),
    "a value out of bounds": (b"[server]\nport = 99999\n", "port"),
    "a value of another type": (b"[server]\nport = 'seven'\n", "port"),
    "none of the choices": (b"[runtime]\nprofile = 'hevy'\n", "profile"),
    "no table": (b"server = 3\n", "table"),
    "providers that are no table": (b"providers = 3\n", "table"),
    "too large": (b"#" * (file.MAX_BYTES + 1), "larger"),
}


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return Paths.at(tmp_path)


class TestTheNextStart:
    @pytest.mark.parametrize("case", BROKEN)
    def test_works_with_the_last_good_file(self, paths, case):
        data, word = BROKEN[case]
        paths.config_file.write_text(GOOD)
        Settings.load(paths).keep_good()
        paths.config_file.write_bytes(data)
        found = Settings.load(paths)
        assert (found.core.port, found.core.queue_size) == (7, 3)
        assert found.problem is not None
        assert word in found.warnings[0]
        assert "The last file that was good is used." in found.warnings[0]
        assert found.problem.fix
        found.keep_good()
        assert backups.last_good(paths) == tomllib.loads(GOOD), "what is broken is not kept as good"
        assert paths.config_file.read_bytes() == data, "what a person wrote is left alone"

    @pytest.mark.parametrize("case", BROKEN)
    def test_works_with_the_defaults_where_no_file_was_ever_good(self, paths, case):
        paths.config_file.write_bytes(BROKEN[case][0])
        found = Settings.load(paths)
        assert found.core == CoreSettings()
        assert found.problem is not None and found.warnings

    def test_works_with_the_values_that_can_be_used(self, paths):
        paths.config_file.write_text("[server]\nport = 99999\nhost = '::1'\n[chat]\nqueue_size=3\n")
        found = Settings.load(paths)
        assert (found.core.port, found.core.host, found.core.queue_size) == (8366, "::1", 3)
        assert "can be used" in found.warnings[0]

    def test_a_change_keeps_what_is_good(self, paths):
        Settings.load(paths).change({"server.port": 7})
        paths.config_file.write_text("[[[")
        assert Settings.load(paths).core.port == 7

    @pytest.mark.parametrize("layer", ["env", "flag"])
    def test_a_wrong_variable_or_option_is_refused_all_the_same(self, paths, layer):
        paths.config_file.write_text("[[[")
        env = {"VENOM_PORT": "x"} if layer == "env" else {}
        flags = {"port": 99999} if layer == "flag" else {}
        with pytest.raises(InvalidRequest) as caught:
            Settings.load(paths, env, flags)
        assert caught.value.code == "invalid_setting"

    def test_a_file_that_cannot_be_read(self, paths):
        paths.config_file.mkdir()
        found = Settings.load(paths)
        assert found.problem is not None
        assert "cannot be read" in found.problem.message

    def test_a_broken_last_good_file_is_not_used(self, paths):
        paths.config_file.write_text(GOOD)
        Settings.load(paths).keep_good()
        (backups.folder(paths) / backups.LAST_GOOD).write_text("[[[")
        paths.config_file.write_text("[[[")
        assert Settings.load(paths).core == CoreSettings()

    def test_a_setting_of_a_plugin_that_is_gone_is_a_warning_and_can_be_removed(self, paths):
        paths.config_file.write_text("[providers.gone]\nurl = 'x'\n")
        found = Settings.load(paths)
        found.check_providers([])
        assert found.problem is None
        assert "no provider gone is loaded" in found.warnings[0]
        found.change({"providers.gone.url": None, "providers.gone": None})
        assert tomllib.loads(paths.config_file.read_text()) == {}

    def test_once_it_is_corrected_nothing_is_said_any_more(self, paths):
        paths.config_file.write_text("[server]\nport = 99999\n")
        found = Settings.load(paths)
        found.change({"server.port": 5})
        assert (found.problem, found.warnings, found.core.port) == (None, [], 5)
        assert Settings.load(paths).warnings == []

    def test_a_change_of_another_key_names_what_is_wrong(self, paths):
        paths.config_file.write_text("[server]\nport = 99999\n")
        found = Settings.load(paths)
        with pytest.raises(InvalidRequest) as caught:
            found.change({"chat.queue_size": 5})
        assert "[server] port" in caught.value.message
        assert "queue_size" not in paths.config_file.read_text()


class TestTheFileOfSecrets:
    def test_a_broken_one_stops_nothing(self, paths):
        paths.secrets_file.write_text("[[[")
        found = Settings.load(paths)
        assert "No secret in it is used." in found.warnings[0]
        assert found.provider(SPEC).values["token"] is None

    def test_a_broken_one_is_not_overwritten(self, paths):
        paths.secrets_file.write_text("[[[")
        with pytest.raises(InvalidRequest) as caught:
            Settings.load(paths).change({"providers.acme-lab.token": "hunter22"}, [SPEC])
        assert "secrets.toml" in caught.value.message
        assert paths.secrets_file.read_text() == "[[["


class TestAChangeOfBothFiles:
    BOTH: ClassVar = {"providers.acme-lab.token": "hunter22", "providers.acme-lab.slots": 5}

    def broken_off(self, paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
        """Change both, and end right after the moment from which it counts."""

        def killed(paths: Paths) -> None:
            if (paths.home / file.PENDING).exists():
                raise KeyboardInterrupt

        with monkeypatch.context() as patched:
            patched.setattr(file, "complete", killed)
            with pytest.raises(KeyboardInterrupt):
                Settings.load(paths).change(self.BOTH, [SPEC])

    def test_counts_as_a_whole_once_it_is_begun(self, paths, monkeypatch):
        paths.config_file.write_text("[providers.acme-lab]\nslots = 2\n")
        self.broken_off(paths, monkeypatch)
        assert "5" not in paths.config_file.read_text()
        values = Settings.load(paths).provider(SPEC).values
        assert (values["token"], values["slots"]) == ("hunter22", 5)
        Settings.load(paths).keep_good()
        assert not (paths.home / file.PENDING).exists()
        assert "slots = 5" in paths.config_file.read_text()
        assert "hunter22" in paths.secrets_file.read_text()
        assert Settings.load(paths).provider(SPEC).values == values

    def test_what_somebody_wrote_by_hand_since_counts(self, paths, monkeypatch):
        self.broken_off(paths, monkeypatch)
        paths.config_file.write_text("[providers.acme-lab]\nslots = 7\n")
        values = Settings.load(paths).provider(SPEC).values
        assert (values["token"], values["slots"]) == ("hunter22", 7)
        Settings.load(paths).change({"providers.acme-lab.mode": "slow"}, [SPEC])
        assert "slots = 7" in paths.config_file.read_text()

    @pytest.mark.parametrize("data", [b"", b"[]", b"{", b'{"config.toml": 3}', b"\xff"])
    def test_a_damaged_note_of_it_is_nothing(self, paths, data):
        paths.home.mkdir(exist_ok=True)
        (paths.home / file.PENDING).write_bytes(data)
        assert Settings.load(paths).warnings == []


KILLS = int(os.environ.get("VENOM_CONFIG_KILLS", "8"))

WRITER = """
import sys
from pathlib import Path
from venom_core.settings.layers import Settings
from venom_core.settings.paths import Paths
from tests.unit.settings.test_secrets import SPEC

settings = Settings.load(Paths.at(Path(sys.argv[1])))
for number in range(1, 100_000):
    text = f"{number:06}" * 40
    settings.change({
        "chat.simple_mode_system_prompt": text,
        "providers.acme-lab.mode": ("fast", "slow")[number % 2],
        "providers.acme-lab.token": text,
    }, [SPEC])
    if number == 1:
        print("at work", flush=True)
"""


def test_kill_leaves_the_old_state_or_the_new(tmp_path):
    """Kill a process while it changes both files over and over; each state is whole."""
    paths = Paths.at(tmp_path)
    seen: set[str] = set()
    for round_ in range(KILLS):
        with subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE, cwd=Path.cwd()
        ) as writer:
            assert writer.stdout is not None
            assert writer.stdout.readline() == b"at work\n"
            time.sleep(0.003 * (round_ % 10))  # another moment of its work each time
            writer.send_signal(signal.SIGKILL)
        found = Settings.load(paths)
        assert (found.problem, found.warnings) == (None, [])
        values = found.provider(SPEC).values
        text = found.core.simple_mode_system_prompt
        assert values["token"] == text, "both files are of one change"
        if text is not None:
            assert values["mode"] == ("fast", "slow")[int(text[:6]) % 2]
            assert text == text[:6] * 40
            seen.add(text)
        # The lock of a process that is gone is nobody's.
        found.change({"usage.retention_days": round_})
        assert Settings.load(paths).core.usage_retention_days == round_
    assert seen, "nothing was written in any round"
