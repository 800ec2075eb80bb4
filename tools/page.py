"""`make ui`: build the page in web/ and put it, precompressed, where server and wheel take it.

Nothing is built when nothing changed. ``--optional`` goes on without a page where there is no npm,
``--check`` runs the page's own checks instead.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from tools.command import quiet

ROOT = Path(__file__).resolve().parent.parent
WEB = ROOT / "web"
TARGET = ROOT / "venom_core" / "ui" / "static"
LOGS = ROOT / ".cache" / "logs"
STAMP = ROOT / ".cache" / "page.stamp"
MODULES_STAMP = WEB / "node_modules" / ".venom-lock"
OLDEST_NODE = (20, 9)
NPM_SILENCE = 300.0
COMPRESSED = {".html", ".js", ".css", ".txt", ".json", ".svg", ".map", ".webmanifest"}
# What the build itself writes into web/.
NOT_SOURCE = {
    "node_modules", "out", ".next", "next-env.d.ts", "tsconfig.tsbuildinfo", "schema.ts",
}  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.page", description=__doc__)
    parser.add_argument("--optional", action="store_true", help="no npm is no error")
    parser.add_argument("--check", action="store_true", help="types, tests and sizes of the page")
    options = parser.parse_args()
    if missing := npm_missing():
        print(missing, file=sys.stderr)
        return 0 if options.optional else 1
    if options.check:
        return check()
    digest = sources_digest()
    if STAMP.exists() and STAMP.read_text(encoding="utf-8") == digest and TARGET.is_dir():
        print("The page is up to date.")
        return 0
    build()
    files, size = install(WEB / "out", TARGET)
    STAMP.write_text(digest, encoding="utf-8")
    print(f"The page is built: {files} files, {size / 1e6:.1f} MB, in venom_core/ui/static")
    return 0


def npm_missing() -> str | None:
    """A sentence that says how to get Node, or None where it is there and new enough."""
    how = (
        "The page needs Node 20.9 or newer with npm: nodejs.org, or on Debian and Ubuntu"
        " `sudo apt install npm`. Everything else works without it."
    )
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        return f"npm was not found. {how}"
    answer = subprocess.run([node, "--version"], capture_output=True, text=True, check=True)
    found = answer.stdout.strip().lstrip("v")
    if tuple(int(part) for part in found.split(".")[:2]) < OLDEST_NODE:
        return f"Node {found} is too old. {how}"
    return None


def sources_digest() -> str:
    """Everything that the built page depends on."""
    whole = hashlib.sha256((ROOT / "venom_core" / "_version.py").read_bytes())
    for folder, folders, files in os.walk(WEB):
        folders[:] = sorted(set(folders) - NOT_SOURCE)
        for name in sorted(set(files) - NOT_SOURCE):
            path = Path(folder) / name
            whole.update(path.relative_to(WEB).as_posix().encode() + b"\0" + path.read_bytes())
    return whole.hexdigest()


def modules() -> None:
    """`npm ci`, once for each state of the lock."""
    lock = hashlib.sha256((WEB / "package-lock.json").read_bytes()).hexdigest()
    if not MODULES_STAMP.exists() or MODULES_STAMP.read_text(encoding="utf-8") != lock:
        print("Fetching the page's packages (npm ci)", flush=True)
        npm_ci(WEB, LOGS / "npm-ci.log")
        MODULES_STAMP.write_text(lock, encoding="utf-8")


def npm_ci(folder: Path, log: Path, *options: str) -> None:
    """Install a folder's locked packages. npm can hang for good on a connection that went quiet: it
    tells each file that it has, and is started again where none comes for minutes."""
    quiet(["npm", "ci", "--loglevel=http", *options], cwd=folder, log=log, silence=NPM_SILENCE)


def build() -> None:
    modules()
    print("Building the page (npm run build)", flush=True)
    environment = {**os.environ, "NEXT_TELEMETRY_DISABLED": "1"}
    quiet(["npm", "run", "build"], cwd=WEB, log=LOGS / "npm-build.log", env=environment)


def check() -> int:
    modules()
    environment = {**os.environ, "NEXT_TELEMETRY_DISABLED": "1"}
    for script in ("typecheck", "test"):
        print(f"== npm run {script}", flush=True)
        done = subprocess.run(["npm", "run", script], cwd=WEB, env=environment, check=False)
        if done.returncode:
            return 1
    return 0


def install(built: Path, target: Path) -> tuple[int, int]:
    """Copy the export beside its target, compress it, and exchange the two.

    Returns:
        Files of the page and their bytes, the compressed copies not counted.
    """
    fresh = target.with_name("static.new")
    shutil.rmtree(fresh, ignore_errors=True)
    shutil.copytree(built, fresh)
    files = [path for path in sorted(fresh.rglob("*")) if path.is_file()]
    size = sum(path.stat().st_size for path in files)
    for path in files:
        if path.suffix in COMPRESSED:
            # No time in the header: the same page gives the same bytes.
            packed = gzip.compress(path.read_bytes(), compresslevel=9, mtime=0)
            path.with_name(f"{path.name}.gz").write_bytes(packed)
    shutil.rmtree(target, ignore_errors=True)
    fresh.rename(target)
    return len(files), size


if __name__ == "__main__":
    sys.exit(main())
