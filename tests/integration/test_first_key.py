"""`venom serve --first-key`, `venom keys link`: how a browser gets in where no key ever was."""

from __future__ import annotations

import json
import re
import stat
from pathlib import Path

import httpx

from tests.unit.cli.processes import running, venom

SERVE = ("serve", "--host", "0.0.0.0", "--port", "0", "--first-key")
LINK = re.compile(r"(http://127\.0\.0\.1:\d+)/#sign-in=([\w-]+)")


def signed_in(url: str, ticket: str) -> httpx.Response:
    return httpx.post(f"{url}/api/v1/session", json={"ticket": ticket}, headers={"Origin": url})


def test_a_first_start_makes_a_key_and_a_link_and_a_second_neither(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with running(home, *SERVE) as server:
        url = server.url()
        printed = server.until(LINK.pattern)
        assert printed[1] == url
        assert httpx.get(f"{url}/v1/models").status_code == 401
        answer = signed_in(url, printed[2])
        assert answer.status_code == 200 and answer.json()["signed_in"]
        assert signed_in(url, printed[2]).status_code == 401

        file = home / "first-key"
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        key = file.read_text().strip()
        headers = {"Authorization": f"Bearer {key}"}
        assert httpx.get(f"{url}/v1/models", headers=headers).status_code == 200
        assert key not in "".join(server.lines)

        [made] = json.loads(venom(home, "keys", "list", "--json").stdout)["keys"]
        another = venom(home, "keys", "link", made["id"])
        found = LINK.fullmatch(another.stdout.strip())
        assert found is not None, another
        assert signed_in(url, found[2]).status_code == 200
        as_json = json.loads(venom(home, "keys", "link", made["id"], "--json").stdout)
        assert LINK.fullmatch(as_json["url"])
        unknown = venom(home, "keys", "link", "ffffffff")
        assert unknown.returncode and "key_not_found" in unknown.stderr
        server.end()
    nobody = venom(home, "keys", "link", made["id"])
    assert nobody.returncode and "server_needed" in nobody.stderr
    venom(home, "keys", "revoke", made["id"])
    with running(home, "serve", "--port", "0", VENOM_FIRST_KEY="true") as second:
        second.url()
        assert second.end() == 0
    assert not LINK.search("".join(second.lines)), "a key was revoked here: somebody knew of it"
    log = (home / "logs" / "venom.log").read_text()
    assert printed[2] not in log and found[2] not in log and key not in log


def test_without_it_an_address_for_others_needs_a_key_first(tmp_path: Path) -> None:
    done = venom(tmp_path / "home", *SERVE[:-1])
    assert done.returncode and "key_required" in done.stderr
    assert not (tmp_path / "home" / "first-key").exists()


def test_a_start_that_is_refused_makes_no_key(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with running(home, "serve", "--port", "0") as first:
        first.url()
        done = venom(home, *SERVE)
        assert done.returncode and "data_directory_busy" in done.stderr
        assert not (home / "first-key").exists()
