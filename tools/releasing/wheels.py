"""Rules of the wheels: one version, nothing that runs by itself, every sum right, none missing."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from email.parser import HeaderParser
from importlib import metadata
from pathlib import Path, PurePosixPath

from packaging.requirements import Requirement
from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename

from tools.locked import pins
from tools.releasing.release import SUMS, NotRun, Release, sha256, sums
from tools.wheelhouse import LOCK

#: What Python itself runs or imports at each start, wherever it lies in site-packages.
_RUNS = (".pth", ".start")
_IMPORTED = {"sitecustomize", "usercustomize"}


def lockstep(release: Release) -> Iterator[str]:
    """Every distribution is there once, with the tree's version in its name and its metadata."""
    version = release.version
    expected = {f"{name}-{version}-py3-none-any.whl" for name in release.names}
    expected |= {f"{name}-{version}.tar.gz" for name in release.names}
    found = {path.name for path in release.built()}
    yield from (f"dist/{name}: missing" for name in sorted(expected - found))
    yield from (f"dist/{name}: not of release {version}" for name in sorted(found - expected))
    for name in sorted(found):
        if name.endswith(".whl"):
            yield from _of_one_version(release.dist / name, version)


def _of_one_version(wheel: Path, version: str) -> Iterator[str]:
    said = HeaderParser().parsestr(_metadata(wheel))
    if said["Version"] != version:
        yield f"{wheel.name}: its metadata says version {said['Version']}, the tree {version}"
    for text in said.get_all("Requires-Dist", []):
        requirement = Requirement(text)
        ours = canonicalize_name(requirement.name).split("-")[0] == "venom"
        if ours and str(requirement.specifier) != f"=={version}":
            yield f"{wheel.name}: requires {text!r}, which is not pinned to =={version}"


def _metadata(wheel: Path) -> str:
    with zipfile.ZipFile(wheel) as archive:
        names = [one for one in archive.namelist() if one.endswith(".dist-info/METADATA")]
        return archive.read(names[0]).decode() if names else ""


def installed(release: Release) -> Iterator[str]:
    """Ours is installed here in one version, the tree's: an editable install keeps the old one."""
    for name in release.names:
        try:
            version = metadata.version(name)
        except metadata.PackageNotFoundError:
            yield f"{name}: not installed in this environment; run `make dev`"
            continue
        if version != release.version:
            yield f"{name}: installed as {version}, the tree is {release.version}; run `make dev`"


def startup(release: Release) -> Iterator[str]:
    """No wheel brings what Python runs at a start; ours bring their package and nothing else."""
    wheels = [path for path in release.built() if path.suffix == ".whl"]
    for wheel in (*wheels, *release.housed()):
        try:
            with zipfile.ZipFile(wheel) as archive:
                names = archive.namelist()
        except zipfile.BadZipFile:
            yield f"{wheel.name}: not a wheel"
            continue
        yield from (f"{wheel.name}: {name} runs at every start of Python" for name in _run(names))
        if release.is_ours(wheel):
            yield from (f"{wheel.name}: {name} is outside its package" for name in _beside(names))


def _run(names: list[str]) -> Iterator[str]:
    for name in names:
        # `NAME-1.0.data/purelib/x` is installed as `x`.
        installed_as = re.sub(r"^[^/]+\.data/(purelib|platlib)/", "", name)
        top = PurePosixPath(installed_as).parts[0].split(".")[0]
        if name.lower().endswith(_RUNS) or top.lower() in _IMPORTED:
            yield name


def _beside(names: list[str]) -> Iterator[str]:
    info = {name.split("/")[0] for name in names if name.endswith(".dist-info/METADATA")}
    name = next(iter(info), "").split("-")[0]
    allowed = {"venom_core" if name == "venom" else name, *info}
    yield from (one for one in names if one.split("/")[0] not in allowed)


def hashes(release: Release) -> Iterator[str]:
    """Every list of sums names exactly what lies beside it, and every sum is right."""
    housed = [path.name for path in release.housed()]
    yield from _listed(release.wheelhouse, housed)
    for file in sorted(release.wheelhouse.glob("requirements-*.txt")):
        yield from _hashed(release, file)
    if (release.dist / SUMS).exists():
        yield from _listed(release.dist, [*release.files(), release.provenance.name])
    elif release.provenance.exists():
        yield f"dist/{SUMS}: missing; run `make release`"
    else:
        raise NotRun(
            "the wheelhouse is as it is listed, the rest of dist/ has no list: make release"
        )


def _listed(folder: Path, names: list[str]) -> Iterator[str]:
    path = folder / SUMS
    listed = sums(path.read_text(encoding="utf-8")) if path.exists() else {}
    place = path.relative_to(folder.parent).as_posix()
    yield from (f"{place}: {name} is not listed" for name in sorted(set(names) - set(listed)))
    for name, digest in listed.items():
        file = folder / name
        if not file.is_file():
            yield f"{place}: {name} is listed and not there"
        elif sha256(file) != digest:
            yield f"{place}: the sum of {name} is another one"


def _hashed(release: Release, file: Path) -> Iterator[str]:
    """Every requirement of a file that pip is to check has hashes, ours those of our wheels."""
    text = file.read_text(encoding="utf-8")
    if "--no-index" not in text.splitlines():
        yield f"{file.name}: does not forbid an index"
    for pin in pins(text):
        package = pin.name.replace("-", "_")
        if not pin.hashes:
            yield f"{file.name}: {pin.name} has no hash"
        elif package in release.names:
            wheel = release.wheelhouse / f"{package}-{release.version}-py3-none-any.whl"
            if not wheel.is_file() or pin.hashes != {sha256(wheel)}:
                yield f"{file.name}: the hash of {pin.name} is not that of {wheel.name}"


def wheelhouse(release: Release) -> Iterator[str]:
    """The wheelhouse holds what the largest lock names for this machine, ours, and nothing else."""
    there: dict[str, str] = {}
    lock = pins((release.root / "requirements" / LOCK.name).read_text(encoding="utf-8"))
    wanted = {pin.name: pin for pin in lock if pin.applies()}
    ours = {str(canonicalize_name(name)) for name in release.names}
    for path in release.housed():
        try:
            found, version, *_ = parse_wheel_filename(path.name)
        except InvalidWheelFilename:
            yield f"wheelhouse/{path.name}: not a wheel's name"
            continue
        name = str(found)
        there[name] = str(version)
        if name in ours:
            built = release.dist / path.name
            if str(version) != release.version:
                yield f"wheelhouse/{path.name}: not of release {release.version}"
            elif built.is_file() and sha256(built) != sha256(path):
                yield f"wheelhouse/{path.name}: not the one in dist/"
        elif name not in wanted:
            yield f"wheelhouse/{path.name}: no lock names {name} for this machine"
        elif wanted[name].version != str(version):
            yield f"wheelhouse/{path.name}: the lock has {name}=={wanted[name].version}"
        elif sha256(path) not in wanted[name].hashes:
            yield f"wheelhouse/{path.name}: not a file whose hash the lock has"
    for name in sorted({*wanted, *ours} - set(there)):
        yield f"wheelhouse: no wheel of {name}; run `make release`"
