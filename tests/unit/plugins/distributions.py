"""Real distributions on disk, made by hand: a dist-info folder and the modules beside it."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from pathlib import Path

from venom_core.plugins.discovery import Scan, scan

#: The first line of a manifest that is written out in a test.
HOOK = "from venom_core.sdk import Capability, ProviderSpec, Setting, hookimpl\n"

GOOD = """
from venom_core.sdk import Capability, ProviderSpec, Setting, hookimpl

SPEC = ProviderSpec(
    name="{name}", title="Acme", summary="A provider for tests.",
    factory="{package}.provider:Acme", capabilities=frozenset({{Capability.CHAT}}),
    settings=(Setting("slots", "int", 1, "How many.", minimum=1),),
    aliases={aliases!r},
)

@hookimpl
def venom_providers():
    return [SPEC]
"""

PROVIDER = """
from venom_core.sdk import Health, Provider, ProviderStatus

class Acme(Provider):
    opened = 0
    closed = 0

    async def open(self):
        type(self).opened += 1

    async def close(self):
        type(self).closed += 1

    async def health(self):
        return Health(ProviderStatus.READY, version="1")

    async def models(self):
        return []

    async def chat(self, request):
        yield None
"""


def install(
    root: Path,
    distribution: str,
    *,
    version: str = "1.0",
    entries: Mapping[str, str] | None = None,
    group: str = "venom.providers.v1",
    files: Mapping[str, str] | None = None,
    requires: tuple[str, ...] = (),
) -> None:
    """Write a distribution into ``root``, which stands for a site-packages folder.

    Args:
        entries: entry points of ``group``; the default is none.
        files: path -> source, dedented.
    """
    root.mkdir(parents=True, exist_ok=True)
    folder = root / f"{distribution.replace('-', '_')}-{version}.dist-info"
    folder.mkdir()
    lines = ["Metadata-Version: 2.1", f"Name: {distribution}", f"Version: {version}"]
    lines += [f"Requires-Dist: {requirement}" for requirement in requires]
    (folder / "METADATA").write_text("\n".join(lines) + "\n\nText.\n")
    (folder / "RECORD").write_text("")
    if entries:
        body = "".join(f"{name} = {value}\n" for name, value in entries.items())
        (folder / "entry_points.txt").write_text(f"[{group}]\n{body}")
    for path, source in (files or {}).items():
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(textwrap.dedent(source))


def install_plugin(
    root: Path,
    name: str,
    manifest: str | None = None,
    *,
    distribution: str | None = None,
    package: str | None = None,
    provider: str = PROVIDER,
    aliases: tuple[str, ...] = (),
    version: str = "1.0",
    group: str = "venom.providers.v1",
    requires: tuple[str, ...] = (),
) -> None:
    """Write a plugin, good unless ``manifest`` says otherwise."""
    distribution = distribution or f"venom-{name}"
    package = package or distribution.replace("-", "_")
    source = (
        manifest
        if manifest is not None
        else GOOD.format(name=name, package=package, aliases=aliases)
    )
    install(
        root,
        distribution,
        version=version,
        entries={name: f"{package}.plugin"},
        group=group,
        requires=requires,
        files={
            f"{package}/__init__.py": "",
            f"{package}/plugin.py": source,
            f"{package}/provider.py": provider,
        },
    )


def scan_of(root: Path, core_version: str = "2026.11.0") -> Scan:
    """Return what a scan finds where ``root`` is all that is installed."""
    from importlib_metadata import Distribution

    found = scan(lambda: Distribution.discover(path=[str(root)]))
    return Scan(core_version, found.found)
