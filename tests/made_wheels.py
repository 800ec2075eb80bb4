"""Wheels made by hand, for tests of installing."""

from __future__ import annotations

import base64
import hashlib
import zipfile
from collections.abc import Mapping
from pathlib import Path


def wheel(
    folder: Path,
    name: str,
    version: str,
    *,
    files: Mapping[str, bytes] | None = None,
    requires: tuple[str, ...] = (),
    extras: Mapping[str, tuple[str, ...]] | None = None,
    entries: Mapping[str, str] | None = None,
) -> Path:
    """Write a wheel by hand; without ``files`` it brings one module that says who made it.

    Args:
        entries: group of entry points -> its lines.
    """
    module = name.replace("-", "_")
    content = dict(files or {f"{module}/__init__.py": f"made_by = {str(folder)!r}\n".encode()})
    info = f"{module}-{version}.dist-info"
    lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
    lines += [f"Requires-Dist: {requirement}" for requirement in requires]
    for extra, needs in (extras or {}).items():
        lines.append(f"Provides-Extra: {extra}")
        lines += [f'Requires-Dist: {need}; extra == "{extra}"' for need in needs]
    content[f"{info}/METADATA"] = ("\n".join(lines) + "\n").encode()
    if entries:
        groups = (f"[{group}]\n{lines}\n" for group, lines in entries.items())
        content[f"{info}/entry_points.txt"] = "".join(groups).encode()
    content[f"{info}/WHEEL"] = b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    record = [f"{path},sha256={_digest(data)},{len(data)}" for path, data in content.items()]
    record.append(f"{info}/RECORD,,")
    content[f"{info}/RECORD"] = ("\n".join(record) + "\n").encode()
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"{module}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(target, "w") as archive:
        for path, data in content.items():
            archive.writestr(path, data)
    return target


def _digest(data: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()


def unpack(path: Path, venv: Path) -> None:
    """Install a wheel of pure modules; pip would take a second for the same."""
    with zipfile.ZipFile(path) as archive:
        archive.extractall(next(venv.glob("lib/python*/site-packages")))


def sums(folder: Path) -> None:
    """List the wheels of a folder with their hashes, as a release does."""
    lines = [
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n"
        for path in sorted(folder.glob("*.whl"))
    ]
    (folder / "SHA256SUMS").write_text("".join(lines))
