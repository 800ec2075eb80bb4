"""The places of Venom's files: one data directory, ``VENOM_HOME``, default ``~/.venom``."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from venom_core.sdk.disk import disk_refusal, is_full
from venom_core.sdk.errors import StorageError

HOME_VARIABLE = "VENOM_HOME"


@dataclass(frozen=True, slots=True)
class Paths:
    """The layout of the data directory. Making one touches no disk.

    Args:
        home: absolute path of the data directory.
        config_file: ``config.toml``.
        secrets_file: ``secrets.toml``, the settings that are secret.
        store_file: the SQLite database.
        models_dir: model files, shared by the providers that keep any.
        providers_dir: one folder for each provider.
        logs_dir: logs of the server and of its engines.
        run_dir: what lives as long as a process: ``server.json``, pid files, crash markers.
        lock_file: held by whichever process works in this directory.
    """

    home: Path
    config_file: Path
    store_file: Path
    models_dir: Path
    providers_dir: Path
    logs_dir: Path
    run_dir: Path
    lock_file: Path
    secrets_file: Path

    @property
    def log_file(self) -> Path:
        """Return the server's log."""
        return self.logs_dir / "venom.log"

    @classmethod
    def at(cls, home: Path) -> Paths:
        """Return the layout under ``home``; a relative path or ``~`` is made absolute."""
        home = home.expanduser().absolute()
        return cls(
            home=home,
            config_file=home / "config.toml",
            store_file=home / "venom.db",
            models_dir=home / "models",
            providers_dir=home / "providers",
            logs_dir=home / "logs",
            run_dir=home / "run",
            lock_file=home / "venom.lock",
            secrets_file=home / "secrets.toml",
        )

    @classmethod
    def resolve(cls, env: Mapping[str, str] | None = None) -> Paths:
        """Return the layout that the environment asks for; an empty ``VENOM_HOME`` counts as
        unset."""
        chosen = (os.environ if env is None else env).get(HOME_VARIABLE)
        return cls.at(Path(chosen) if chosen else Path("~/.venom"))

    def make(self, directory: Path) -> Path:
        """Make a directory of this layout, readable by its owner only, and return it.

        Raises:
            StorageError: ``home_not_writable``, naming the variable that moves the data directory.
        """
        try:
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise self.not_writable(error) from error
        return directory

    def not_writable(self, error: OSError) -> StorageError:
        """Return the refusal for an ``OSError`` met while writing under the data directory."""
        if is_full(error):
            return disk_refusal(error)
        return StorageError(
            f"The data directory {self.home} cannot be written ({error.strerror or 'I/O error'}).",
            fix=f"Make it writable, or choose another one: {HOME_VARIABLE}=/path/to/folder",
            code="home_not_writable",
        )
