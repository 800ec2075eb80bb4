"""The process that a command finds itself in, mended where it is damaged: by a shell, by cron, by a
supervisor that closed what a program counts on."""

from __future__ import annotations

import os
import sys
from collections.abc import MutableMapping

_STREAMS = (("stdin", os.O_RDONLY, "r"), ("stdout", os.O_WRONLY, "w"), ("stderr", os.O_WRONLY, "w"))
KEY_LOG = "SSLKEYLOGFILE"


def mend() -> None:
    """Open what is missing and forget what cannot be used; to be called before anything else."""
    for number, (name, mode, text_mode) in enumerate(_STREAMS):
        _open_stream(number, name, mode, text_mode)
    drop_unusable_key_log(os.environ)


def _open_stream(number: int, name: str, mode: int, text_mode: str) -> None:
    """Lead a closed standard stream nowhere: the next file that is opened would be it, and what is
    printed would be written into that."""
    try:
        os.fstat(number)
    except OSError:
        nowhere = os.open(os.devnull, mode)
        if nowhere != number:
            os.dup2(nowhere, number)
            os.close(nowhere)
        os.set_inheritable(number, True)
    if getattr(sys, name) is None:
        stream = open(number, text_mode, encoding="utf-8", errors="replace", closefd=False)  # noqa: SIM115
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)


def drop_unusable_key_log(env: MutableMapping[str, str]) -> None:
    """Forget where a debugger wanted TLS keys, where that cannot be written any more: no connection
    could be made, not even one without TLS."""
    path = env.get(KEY_LOG)
    if not path:
        return
    try:
        with open(path, "ab"):  # noqa: PTH123
            return
    except (OSError, ValueError):
        del env[KEY_LOG]
        print(f"{KEY_LOG} cannot be written and is ignored: {path}", file=sys.stderr)
