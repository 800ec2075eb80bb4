"""`make wheelhouse`: dist/wheelhouse, from which Venom installs without an index.

Our wheels, the locked dependencies of the largest set that ships (for this system and this Python)
and SHA256SUMS beside them::

    pip install --no-index --find-links dist/wheelhouse 'venom[light]'
"""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import sys

from tools.command import quiet
from tools.projects import ROOT
from tools.wheels import DIST

WHEELHOUSE = DIST / "wheelhouse"
LOCK = ROOT / "requirements" / "full.txt"


def main() -> int:
    ours = sorted(DIST.glob("*.whl"))
    if not ours:
        sys.exit("dist/ holds no wheel of ours; run `make wheels`")
    shutil.rmtree(WHEELHOUSE, ignore_errors=True)
    WHEELHOUSE.mkdir()
    for wheel in ours:
        shutil.copy2(wheel, WHEELHOUSE)
    download = [sys.executable, "-m", "pip", "download", "--require-hashes", "--no-deps"]
    download += ["--only-binary", ":all:", "--dest", str(WHEELHOUSE), "--requirement", str(LOCK)]
    log = ROOT / ".cache" / "logs" / "wheelhouse.log"
    quiet(download, cwd=ROOT, log=log, env={**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1"})
    wheels = sorted(WHEELHOUSE.glob("*.whl"))
    sums = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in wheels]
    (WHEELHOUSE / "SHA256SUMS").write_text("".join(sums), encoding="utf-8")
    size = sum(path.stat().st_size for path in wheels) / 1e6
    place = f"{platform.system()} {platform.machine()}, Python {platform.python_version()}"
    print(f"dist/wheelhouse: {len(wheels)} wheels, {size:.0f} MB, for {place}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
