"""OLLAMA_HOST in every form that Ollama itself takes."""

from __future__ import annotations

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


@pytest.mark.parametrize(
    ("host", "command", "code"),
    [
        (None, None, "engine_missing"),
        (None, "/usr/bin/ollama", "ollama_down"),
        ("127.0.0.1:9", None, "ollama_down"),
    ],
)
async def test_an_ollama_that_nobody_has_is_not_down_but_not_there(
    monkeypatch: pytest.MonkeyPatch, host: str | None, command: str | None, code: str
) -> None:
    monkeypatch.setattr("shutil.which", lambda _: command)
    client = OllamaClient(parse_address(host), request_timeout=1, load_timeout=1)
    assert (await client._down()).code == code
