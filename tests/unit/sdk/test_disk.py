"""Files on a disk: room, one step, digests, and what each refusal of a disk is called."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import stat
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from venom_core.sdk import disk
from venom_core.sdk.disk import (
    SPARE_BYTES,
    Place,
    check_space,
    disk_errors,
    make_writable_folder,
    replacing,
    sha256_of,
    write_file,
)
from venom_core.sdk.errors import NoDiskSpace, StorageError
from venom_core.sdk.pip import InstallFailed, _failure
from venom_core.settings.paths import Paths
from venom_core.store.backup import write_backup


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (errno.ENOSPC, "disk_full"),
        (errno.EDQUOT, "disk_full"),
        (errno.EROFS, "store_not_writable"),
        (errno.EACCES, "store_not_writable"),
        (errno.EPERM, "store_not_writable"),
        (errno.ENOTDIR, "store_not_writable"),
        (errno.EIO, "store_not_writable"),
    ],
)
def test_what_a_disk_refuses_has_a_code(number: int, code: str) -> None:
    with pytest.raises(StorageError) as caught, disk_errors():
        raise OSError(number, "/secret/path")
    assert isinstance(caught.value, NoDiskSpace) == (code == "disk_full")
    assert caught.value.code == code and "secret" not in caught.value.message


def test_each_refusal_is_true_and_names_what_moves_the_place() -> None:
    cache = Place("The cache", "MY_CACHE", "cache_not_writable")
    told = {}
    for number in (errno.ENOSPC, errno.EROFS, errno.EACCES):
        with pytest.raises(StorageError) as caught, disk_errors(cache):
            raise OSError(number, "x")
        told[number] = caught.value
    assert "full" in told[errno.ENOSPC].message
    assert "read-only" in told[errno.EROFS].message
    assert told[errno.EACCES].message == "The cache cannot be written."
    assert all("MY_CACHE" in (refusal.fix or "") for refusal in told.values())
    assert told[errno.EROFS].code == told[errno.EACCES].code == "cache_not_writable"


@pytest.mark.parametrize("fault", [ConnectionResetError(errno.ECONNRESET, "x"), TimeoutError()])
def test_a_fault_of_the_network_is_none_of_the_disk(fault: OSError) -> None:
    with pytest.raises(type(fault)), disk_errors():
        raise fault


def _full(*_: object, **__: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def _settings(folder: Path, monkeypatch: pytest.MonkeyPatch) -> StorageError:
    return Paths.at(folder).not_writable(OSError(errno.ENOSPC, "No space left on device"))


def _pip(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Exception:
    found = _failure("ERROR: [Errno 28] No space left on device")
    assert isinstance(found, InstallFailed) and found.output
    return found


def _plan(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Exception:
    with pytest.raises(StorageError) as caught:
        check_space(folder, 10**18, "it")
    return caught.value


def _backup(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Exception:
    paths = Paths.at(folder)
    paths.config_file.write_text("")
    monkeypatch.setattr(os, "open", _full)
    with pytest.raises(StorageError) as caught:
        write_backup(paths, folder / "b.zip")
    monkeypatch.undo()
    return caught.value


@pytest.mark.parametrize("find", [_settings, _pip, _plan, _backup])
def test_a_full_disk_is_one_refusal_whoever_finds_it(
    find: Callable[[Path, pytest.MonkeyPatch], Exception],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    refusal = find(tmp_path, monkeypatch)
    assert isinstance(refusal, NoDiskSpace)
    assert (refusal.status, refusal.code) == (400, "disk_full") and refusal.fix


def test_room_is_what_is_needed_and_some_to_spare(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=SPARE_BYTES + 5))
    check_space(tmp_path / "not" / "yet", 5, "m")
    with pytest.raises(NoDiskSpace) as caught:
        check_space(tmp_path, 6, "the model m")
    assert "the model m needs 0.1 GB" in caught.value.message


def test_a_folder_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_writable_folder(tmp_path / "new")
    monkeypatch.setattr(disk.os, "access", lambda *_: False)
    with pytest.raises(StorageError) as caught:
        make_writable_folder(tmp_path / "new")
    assert caught.value.code == "store_not_writable"


def test_a_file_is_the_owners_from_its_first_byte_on(tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        with replacing(tmp_path / "secret") as stream:
            (part,) = tmp_path.iterdir()
            assert stat.S_IMODE(part.stat().st_mode) == 0o600
            stream.write(b"x")
        write_file(tmp_path / "open", "y", mode=0o644)
    finally:
        os.umask(old)
    assert stat.S_IMODE((tmp_path / "secret").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "open").stat().st_mode) == 0o644


def test_what_fails_half_way_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    target = tmp_path / "record.json"
    write_file(target, "old", durable=True)
    with pytest.raises(KeyboardInterrupt), replacing(target) as stream:
        stream.write(b"half")
        stream.flush()
        assert target.read_text() == "old"
        raise KeyboardInterrupt
    assert [path.name for path in tmp_path.iterdir()] == ["record.json"]
    assert target.read_text() == "old"


def test_the_digest_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"abc")
    assert sha256_of(tmp_path / "f") == hashlib.sha256(b"abc").hexdigest()
