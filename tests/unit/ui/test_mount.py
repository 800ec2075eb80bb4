"""The page's files: what is served, how, and what never is."""

from __future__ import annotations

import base64
import gzip
import hashlib
import os
from pathlib import Path

import httpx
import pytest

from venom_core.ui.mount import PageFiles

SCRIPT = "self.boot=1"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "static"
    (root / "_next" / "static").mkdir(parents=True)
    (root / "index.html").write_text(f"<html><script>{SCRIPT}</script>home</html>")
    (root / "plugins.html").write_text("<html>plugins</html>")
    (root / "404.html").write_text("<html>missing</html>")
    (root / "_next" / "static" / "a.js").write_text("var a")
    (root / "_next" / "static" / "a.js.gz").write_bytes(gzip.compress(b"var a"))
    (tmp_path / "secret.txt").write_text("secret")
    return root


def client(root: Path) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(PageFiles(root))
    return httpx.AsyncClient(transport=transport, base_url="http://localhost")


async def test_pages_are_found_by_their_path(root: Path) -> None:
    async with client(root) as http:
        for path, text in [("/", "home"), ("/plugins", "plugins"), ("/plugins.html", "plugins")]:
            response = await http.get(path)
            assert text in response.text
            assert response.headers["cache-control"] == "no-cache"
        for path in ("/c/a-b_1", "/c/a-b_1/"):
            assert "home" in (await http.get(path)).text
        for path in ("/c/", "/c/a/b", "/c/a%20b", "/c/a.js"):
            assert (await http.get(path)).status_code == 404
        missing = await http.get("/nothing")
        assert (missing.status_code, missing.text) == (404, "<html>missing</html>")


async def test_the_policy_allows_the_pages_own_scripts_only(root: Path) -> None:
    digest = base64.b64encode(hashlib.sha256(SCRIPT.encode()).digest()).decode()
    async with client(root) as http:
        policy = (await http.get("/")).headers["content-security-policy"]
        assert f"script-src 'self' 'sha256-{digest}';" in policy
        assert "unsafe" not in policy
        assert "sha256" not in (await http.get("/plugins")).headers["content-security-policy"]


async def test_built_files_are_immutable_and_packed(root: Path) -> None:
    async with client(root) as http:
        packed = await http.get("/_next/static/a.js", headers={"Accept-Encoding": "gzip"})
        assert packed.headers["content-encoding"] == "gzip"
        assert packed.text == "var a"
        assert "immutable" in packed.headers["cache-control"]
        plain = await http.get("/_next/static/a.js", headers={"Accept-Encoding": "identity"})
        assert "content-encoding" not in plain.headers
        again = await http.get(
            "/_next/static/a.js", headers={"If-None-Match": plain.headers["etag"]}
        )
        assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize(
    "path", ["/../secret.txt", "/..%2fsecret.txt", "/%2e%2e/secret.txt", "/a/../../secret.txt"]
)
async def test_no_path_leaves_the_folder(root: Path, path: str) -> None:
    async with client(root) as http:
        response = await http.get(path)
    assert response.status_code == 404
    assert "secret" not in response.text


async def test_a_page_built_meanwhile_is_served_without_a_restart(root: Path) -> None:
    index = root / "index.html"
    old = index.read_text()
    index.unlink()
    async with client(root) as http:
        assert "make ui" in (await http.get("/")).text
        index.write_text(old)
        assert "home" in (await http.get("/")).text
        index.write_text("<html>newer</html>")
        os.utime(index, ns=(1, 1))
        assert "newer" in (await http.get("/")).text
