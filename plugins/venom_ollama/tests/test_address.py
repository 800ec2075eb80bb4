"""OLLAMA_HOST in every form that Ollama itself takes."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from venom_core.sdk.errors import Unavailable
from venom_ollama.address import keep_alive, parse_address
from venom_ollama.client import OllamaClient


@pytest.mark.parametrize(
    ("setting", "url"),
    [
        (None, "http://127.0.0.1:11434"),
        ("", "http://127.0.0.1:11434"),
        ("  ", "http://127.0.0.1:11434"),
        ("gpu-box", "http://gpu-box:11434"),
        ("gpu-box:1234", "http://gpu-box:1234"),
        (":1234", "http://127.0.0.1:1234"),
        ("0.0.0.0", "http://127.0.0.1:11434"),
        ("0.0.0.0:8080", "http://127.0.0.1:8080"),
        ("http://0.0.0.0:11434", "http://127.0.0.1:11434"),
        ("http://127.0.0.1:11434/", "http://127.0.0.1:11434"),
        ("http://box", "http://box:80"),
        ("https://box", "https://box:443"),
        ("HTTPS://box/ollama/", "https://box:443/ollama"),
        ('"10.0.0.5:9"', "http://10.0.0.5:9"),
        ("::1", "http://[::1]:11434"),
        ("::", "http://[::1]:11434"),
        ("[::1]:99", "http://[::1]:99"),
        ("http://[fe80::1]:99", "http://[fe80::1]:99"),
    ],
)
def test_addresses(setting: str | None, url: str) -> None:
    assert parse_address(setting).url == url


def test_a_password_goes_into_a_header_and_nowhere_else() -> None:
    address = parse_address("https://me:p%40ss@box:8")
    assert address.url == "https://box:8"
    assert address.shown == "box:8"
    assert address.headers == {"Authorization": "Basic bWU6cEBzcw=="}


@pytest.mark.parametrize("setting", ["ftp://box", "box:port", "box:99999", "http://[::1"])
def test_addresses_that_are_none(setting: str) -> None:
    with pytest.raises(Unavailable) as caught:
        parse_address(setting)
    assert caught.value.code == "invalid_setting"
    assert "OLLAMA_HOST" in (caught.value.fix or "")


@pytest.mark.parametrize(
    ("setting", "field"),
    [(None, None), ("", None), ("10m", "10m"), ("1h30m", "1h30m"), ("-1m", "-1m"), ("1.5h", "1.5h"),
     ("30", 30), ("-1", -1), ("0", 0), (" 5m ", "5m")],
)  # fmt: skip
def test_durations(setting: str | None, field: str | int | None) -> None:
    assert keep_alive(setting) == field


@pytest.mark.parametrize("setting", ["soon", "5 minutes", "1d", "m", "-"])
def test_durations_that_are_none(setting: str) -> None:
    with pytest.raises(Unavailable):
        keep_alive(setting)


#: What PATH holds under the name of the program -> the code, and what the sentence says of it.
ON_PATH = {
    "nothing": (None, "engine_missing", "Ollama is not installed here"),
    "a program": ("#!/bin/sh\nexit 0\n", "ollama_down", "Ollama does not answer"),
    "one that fails": ("#!/bin/sh\nexit 1\n", "ollama_down", "Ollama does not answer"),
    "a shim without its program": (
        "#!/bin/sh\necho 'pyenv: ollama: command not found' >&2\nexit 127\n",
        "engine_missing",
        "does not start (exit code 127)",
    ),
    "a shim without a version": ("#!/bin/sh\nexit 126\n", "engine_missing", "(exit code 126)"),
    "a lost interpreter": (
        "#!/nowhere/python\n", "engine_missing", "does not start (No such file or directory)"
    ),
    "of another processor": (
        "\x7fELF\x02\x01\x01", "engine_missing", "does not start (Exec format error)"
    ),
}  # fmt: skip


@pytest.mark.skipif(sys.platform == "win32", reason="the programs of the table are scripts")
@pytest.mark.parametrize("name", ON_PATH)
async def test_what_path_finds_is_seen_to_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    text, code, said = ON_PATH[name]
    monkeypatch.setenv("PATH", str(tmp_path))
    program = tmp_path / "ollama"
    if text is not None:
        program.write_text(text, encoding="latin-1")
        program.chmod(0o755)
    client = OllamaClient(parse_address(None), request_timeout=1, load_timeout=1)
    refused = await client._down()
    assert refused.code == code and said in refused.message
    # The fix is done: what is installed and starts is down, and no longer missing.
    program.write_text("#!/bin/sh\nexit 0\n")
    program.chmod(0o755)
    assert (await client._down()).code == "ollama_down"


async def test_an_address_that_was_named_is_down_whatever_path_holds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    client = OllamaClient(parse_address("127.0.0.1:9"), request_timeout=1, load_timeout=1)
    assert (await client._down()).code == "ollama_down"


@pytest.mark.parametrize(
    "setting", ["1" + "0" * 30, str(2**63), "9" * 5000 + "s", "nan", "inf", "1e308", "True", "[]",
                "1h" + "1m" * 50, "٣m", "1m\n"],
)  # fmt: skip
def test_durations_beyond_any_time_are_none(setting: str) -> None:
    if setting == "1m\n":
        assert keep_alive(setting) == "1m"
        return
    with pytest.raises(Unavailable) as caught:
        keep_alive(setting)
    assert caught.value.code == "invalid_setting"
