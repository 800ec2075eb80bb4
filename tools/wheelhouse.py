"""`make wheelhouse`: dist/wheelhouse, from which Venom installs without an index.

Our wheels, the locked dependencies of the largest set that ships (for this system and this Python),
SHA256SUMS and requirements-SET.txt beside them, in which everything has its hash::

    pip install --no-index --find-links dist/wheelhouse 'venom[light]'
    pip install --find-links dist/wheelhouse -r dist/wheelhouse/requirements-light.txt

``--for macos-arm64 --python 3.12`` fills dist/wheelhouse-macos-arm64-py3.12 for another machine.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tools.command import quiet
from tools.locked import pins
from tools.platforms import PLATFORMS, PYTHONS, Platform, Unresolved, resolved
from tools.projects import LOCKS, ROOT, declared_version, distributions
from tools.wheels import DIST

WHEELHOUSE = DIST / "wheelhouse"
LOCK = ROOT / "requirements" / "full.txt"
SUMS = "SHA256SUMS"
#: The sets that a wheelhouse can be asked for; the others are for building and testing.
SETS = tuple(name for name in LOCKS if name not in ("dev", "build"))


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tools.wheelhouse", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("--for", dest="target", choices=PLATFORMS, help="another machine's")
    parser.add_argument("--python", choices=PYTHONS, help="its Python; this one's without")
    options = parser.parse_args(arguments)
    if options.python and not options.target:
        parser.error("--python goes with --for; without it the wheelhouse is for this Python")
    ours = sorted(DIST.glob("*.whl"))
    if not ours:
        sys.exit("dist/ holds no wheel of ours; run `make wheels`")
    if options.target is None:
        place = f"{platform.system()} {platform.machine()}, Python {platform.python_version()}"
        _fill(WHEELHOUSE, ours, _download(), LOCK.read_text(encoding="utf-8"), SETS, place)
        return 0
    python = options.python or f"{sys.version_info.major}.{sys.version_info.minor}"
    folder = DIST / f"wheelhouse-{options.target}-py{python}"
    target = PLATFORMS[options.target]
    sets, lock = _only(target, python)
    place = f"{options.target}, Python {python}: not run, only fetched"
    _fill(folder, ours, _download(target, python), lock, sets, place)
    return 0


def _download(target: Platform | None = None, python: str = "") -> list[str]:
    command = [sys.executable, "-m", "pip", "download", "--require-hashes", "--no-deps"]
    command += ["--only-binary", ":all:"]
    for tag in target.tags if target else ():
        command += ["--platform", tag]
    if target:
        command += ["--python-version", python, "--implementation", "cp"]
        command += ["--abi", f"cp{python.replace('.', '')}", "--abi", "abi3", "--abi", "none"]
    return command


def _only(target: Platform, python: str) -> tuple[tuple[str, ...], str]:
    """Return the sets that have wheels for another machine, each with all of those before, and the
    pins of the largest: pip would ask the markers of this machine.

    Raises:
        SystemExit: not even the smallest has; the sentence names the package.
    """
    why = ""
    for count in range(len(SETS), 0, -1):
        largest = SETS[count - 1]
        try:
            wanted = resolved(largest, target, python)
        except Unresolved as missing:
            why = str(missing)
            print(f"{target.title}: without {largest}: no wheel of {why}", file=sys.stderr)
            continue
        lock = (ROOT / "requirements" / f"{largest}.txt").read_text(encoding="utf-8")
        lines = [pin.line() for pin in pins(lock) if wanted.get(pin.name) == pin.version]
        return SETS[:count], "\n".join(lines) + "\n"
    sys.exit(f"{target.title}, Python {python}: no set has every wheel: {why}")


def _fill(
    folder: Path, ours: list[Path], download: list[str], lock: str, sets: Sequence[str], place: str
) -> None:
    """Fill a folder beside its place and exchange the two: a half one is never left there."""
    fresh = folder.with_name(f"{folder.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir()
    for wheel in ours:
        shutil.copy2(wheel, fresh)
    log = ROOT / ".cache" / "logs" / "wheelhouse.log"
    with tempfile.TemporaryDirectory() as temporary:
        wanted = Path(temporary) / "lock.txt"
        wanted.write_text(lock, encoding="utf-8")
        quiet(
            [*download, "--dest", str(fresh), "--requirement", str(wanted)],
            cwd=ROOT, log=log, env={**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1"},
        )  # fmt: skip
    for name in sets:
        (fresh / f"requirements-{name}.txt").write_text(requirements(name, ours), encoding="utf-8")
    wheels = sorted(fresh.glob("*.whl"))
    sums = [f"{_sha256(path)}  {path.name}\n" for path in wheels]
    (fresh / SUMS).write_text("".join(sums), encoding="utf-8")
    size = sum(path.stat().st_size for path in wheels) / 1e6
    shutil.rmtree(folder, ignore_errors=True)
    fresh.rename(folder)
    print(f"{folder.relative_to(ROOT)}: {len(wheels)} wheels, {size:.0f} MB, for {place}")


def requirements(name: str, ours: list[Path]) -> str:
    """Return a set as pip checks it whole: ours by the hashes of these wheels, and its lock."""
    lock = (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8")
    hashes = {path.name.split("-")[0]: _sha256(path) for path in ours}
    lines = [
        f"{named}=={declared_version()} \\\n    --hash=sha256:{hashes[package]}\n"
        for package, named in distributions(ROOT, name).items()
    ]
    return f"# {_MADE}\n--no-index\n" + "".join(lines) + lock


_MADE = "Everything by its hash; `pip install --find-links FOLDER -r` this file."


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


if __name__ == "__main__":
    sys.exit(main())
