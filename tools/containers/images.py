"""`make images`: build the images from dist/wheelhouse, and say how large they are.

``--json`` prints the sizes as JSON; a name builds that image alone. BASE=IMAGE builds on another
base than the Dockerfile's. The sizes that the documentation gives come from `python bench/run.py
images`, which builds the same.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass

from tools.command import quiet
from tools.containers.base import DOCKERFILE, base_image
from tools.containers.programs import LOGS, Missing, ensure_programs, podman_command
from tools.projects import ROOT, declared_version
from tools.wheelhouse import WHEELHOUSE

#: A target that is only resolved and linted here, like the engines that it would start.
NOT_RUN = ("venom-full",)


@dataclass(frozen=True, slots=True)
class Image:
    """An image that was built: 10^6 bytes, of its layers unpacked."""

    name: str
    megabytes: float
    above_base: float
    seconds: float


def targets() -> list[str]:
    """Return the images that the Dockerfile makes, in its order."""
    text = DOCKERFILE.read_text(encoding="utf-8")
    return re.findall(r"^FROM \S+ AS (venom-\S+)$", text, re.MULTILINE)


def tag_of(target: str) -> str:
    return f"localhost/{target}:latest"


def build(names: Iterable[str] | None = None) -> tuple[str, list[Image]]:
    """Build images, by default all that are run here; return their base and what they became.

    Raises:
        Missing: a program, a base or the wheelhouse is not there.
        SystemExit: a build failed; the end of its log was printed.
    """
    if not any(WHEELHOUSE.glob("venom-*.whl")):
        raise Missing("dist/wheelhouse is empty: run `make wheelhouse`")
    ensure_programs()
    base = base_image()
    wanted = list(names) if names else [one for one in targets() if one not in NOT_RUN]
    return base, [_built(target, base) for target in wanted]


def _built(target: str, base: str) -> Image:
    started = time.monotonic()
    print(f"Building {target} on {base}", file=sys.stderr, flush=True)
    command = [
        "buildah", "build", "--isolation", "chroot", "--network", "host", "--format", "docker",
        "--layers", "--file", str(DOCKERFILE), "--build-arg", f"BASE={base}",
        "--label", f"org.opencontainers.image.version={declared_version()}",
        "--target", target, "--tag", tag_of(target), str(ROOT),
    ]  # fmt: skip
    quiet(command, cwd=ROOT, log=LOGS / f"image-{target}.log")
    seconds = time.monotonic() - started
    whole, below = bytes_of(tag_of(target)), bytes_of(base)
    return Image(target, round(whole / 1e6, 1), round((whole - below) / 1e6, 1), round(seconds, 1))


def bytes_of(image: str) -> int:
    """Return the bytes of an image's layers, unpacked."""
    command = [*podman_command(), "image", "inspect", "--format", "{{.Size}}", image]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return int(done.stdout)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.containers.images", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="name", help=", ".join(targets()))
    parser.add_argument("--json", action="store_true", help="print the sizes as JSON")
    options = parser.parse_args(arguments)
    if unknown := sorted(set(options.names) - set(targets())):
        parser.error(f"no such image: {', '.join(unknown)}; there are {', '.join(targets())}")
    try:
        base, images = build(options.names)
    except Missing as missing:
        print(f"not run: {missing}", file=sys.stderr)
        return 1
    if options.json:
        print(json.dumps({"base": base, "images": [asdict(one) for one in images]}, indent=2))
        return 0
    print(f"{'image':26}{'MB':>8}{'above its base':>16}{'seconds':>9}")
    for one in images:
        print(f"{one.name:26}{one.megabytes:8.1f}{one.above_base:16.1f}{one.seconds:9.1f}")
    print(f"base: {base}")
    for name in NOT_RUN if not options.names else ():
        print(f"{name}: not run; python -m tools.containers.images {name} builds it")
    return 0


if __name__ == "__main__":
    sys.exit(main())
