"""The files that tell a system's service manager how to run the server: a unit of systemd, a
property list of launchd."""

from __future__ import annotations

import plistlib
from dataclasses import dataclass
from pathlib import Path

from venom_core.cli.exit_codes import ExitCode
from venom_core.sdk.errors import InvalidRequest
from venom_core.sdk.printable import is_one_line

#: Stands at the head of every file of ours.
MARK = "written-by=venom-service"
#: The optional file of variables beside the settings, as systemd reads it.
ENVIRONMENT_FILE = "service.env"
LABEL = "venom.server"

#: systemd runs no program with one of these in its path.
_NEVER = frozenset("\"'\\")

_UNIT = """\
# {mark}
# Written anew by: venom service install. Your own lines: systemctl --user edit venom
[Unit]
Description=Venom, the control plane for the language models on this machine
StartLimitIntervalSec=300
StartLimitBurst=5

[Service]
Type=notify
NotifyAccess=main
ExecStart={command}
Environment={home_variable}
EnvironmentFile=-{environment_file}
WorkingDirectory=-{home}
Restart=on-failure
RestartSec=5
RestartPreventExitStatus={never_again}
TimeoutStartSec=120
TimeoutStopSec=60
WatchdogSec=120
KillMode=mixed
UMask=0077
# What systemd can do for a service of a user; the rest needs privileges, or breaks engines.
NoNewPrivileges=yes
LockPersonality=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
SystemCallArchitectures=native

[Install]
WantedBy=default.target
"""


@dataclass(frozen=True, slots=True)
class ServedInstallation:
    """Names what the service runs: ``python`` of an environment, over the data directory ``home``.

    Raises ``InvalidRequest`` where a path cannot stand in such a file.
    """

    python: Path
    home: Path

    def __post_init__(self) -> None:
        for path in (self.python, self.home):
            odd = not is_one_line(str(path)) or set(str(path)) & _NEVER
            if odd or not path.is_absolute():
                raise InvalidRequest(
                    f"The path {str(path)!r} cannot stand in the file of a service.",
                    code="service_path_not_usable",
                    fix="Use an absolute one without quotation marks, backslashes and line breaks.",
                )

    @property
    def command(self) -> tuple[str, ...]:
        """Return the command line that serves. A link to the interpreter stays one: behind it is
        another environment."""
        return (str(self.python), "-m", "venom_core.cli.main", "serve")


def systemd_unit(served: ServedInstallation) -> str:
    """Return the unit of a user's service."""
    home = served.home
    return _UNIT.format(
        mark=MARK,
        command=" ".join(f'"{_literal(part)}"' for part in served.command),
        home_variable=f'"{_literal(f"VENOM_HOME={home}")}"',
        environment_file=_literal(str(home / ENVIRONMENT_FILE)),
        home=_literal(str(home)),
        # Started anew they would end the same.
        never_again=f"{ExitCode.USAGE.value} {ExitCode.NOT_ALLOWED.value}",
    )


def _literal(text: str) -> str:
    return text.replace("%", "%%")


def launchd_plist(served: ServedInstallation) -> str:
    """Return the property list of a user's agent."""
    wanted = {
        "Label": LABEL,
        "ProgramArguments": list(served.command),
        "EnvironmentVariables": {"VENOM_HOME": str(served.home)},
        "WorkingDirectory": str(served.home),
        "RunAtLoad": True,
        "KeepAlive": {"SuccessfulExit": False},
        "ThrottleInterval": 10,
        "ExitTimeOut": 60,
        "Umask": 0o077,
    }
    head, _, rest = plistlib.dumps(wanted, sort_keys=False).decode().partition("\n")
    return f"{head}\n<!-- {MARK} -->\n{rest}"


def is_ours(text: str) -> bool:
    """Return whether a file was written by :func:`systemd_unit` or :func:`launchd_plist`."""
    return MARK in "".join(text.splitlines()[:2])
