"""Writing so that it stays: fsync of files and folders, and failed writes told in sentences."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from store.errors import StoreError

_DEAD_S = 24 * 3600


def temporary_beside(path: Path) -> Path:
    """The name under which a file or folder is written before it gets its own: hidden, beside it, of this process.

    Machine and process stand in it, so that no two write under one name, not even in a folder on a network.
    """
    return path.with_name(f".{path.name}.{_host()}-{os.getpid()}.tmp")


def drop_leftovers(folder: Path, name: str = "*") -> None:
    """Remove what processes that are gone were writing in a folder under temporary names.

    Of another machine nobody here knows what still runs: what it has not touched for a day goes too.

    Args:
        name: the final name, or a pattern of names.
    """
    for path in folder.glob(f".{name}.*.tmp"):
        if not _is_left(path):
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def _is_left(path: Path) -> bool:
    host, _, number = path.name.removesuffix(".tmp").rpartition(".")[2].rpartition("-")
    if host == _host() and number.isdigit():
        return not is_running(int(number))
    try:
        return time.time() - path.lstat().st_mtime > _DEAD_S
    except OSError:  # it was finished or removed meanwhile
        return False


def is_running(pid: int | None) -> bool:
    """Whether a process of this machine is there."""
    return Path(f"/proc/{pid}").exists()


def _host() -> str:
    return os.uname().nodename.replace(".", "-")


def fsync_dir(path: Path) -> None:
    """Make renames inside a folder durable."""
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def explain_write(path: Path) -> Iterator[None]:
    """Turn a failed write into a sentence: disk full, no permission, read-only.

    Raises:
        StoreError: naming the place and the likely cause.
    """
    try:
        yield
    except OSError as error:
        cause = {
            errno.ENOSPC: "the disk is full: free some space and run the command again, what is done stays",
            errno.EDQUOT: "the disk quota is used up: free some space and run the same command again",
            errno.EACCES: "no permission to write there: check the owner of the folder",
            errno.EROFS: "the file system is read-only",
        }.get(error.errno or 0, "the write failed; run the same command again once the cause is gone")
        raise StoreError(f"cannot write {error.filename or path}: {error.strerror}; {cause}") from error


def fsync_tree(root: Path) -> None:
    """Make every file below a folder durable, and the folders themselves."""
    for folder, _, names in os.walk(root):
        for name in names:
            handle = os.open(Path(folder) / name, os.O_RDONLY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)
        fsync_dir(Path(folder))


def place_file(path: Path, target: Path) -> None:
    """A second name for a file, or a copy where the file system has none; what lay there is replaced.

    Raises:
        StoreError: the disk is full or the like.
    """
    temporary = temporary_beside(target)
    with explain_write(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary.unlink(missing_ok=True)
        try:
            os.link(path, temporary)
        except OSError:  # another file system, or one without links
            shutil.copyfile(path, temporary)
        temporary.replace(target)


def sha256_file(path: Path) -> str:
    """Hex SHA-256 of a file's bytes."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def write_bytes_atomic(path: Path, data: bytes) -> None:
    """Write under a temporary name in the same folder, fsync, rename, fsync the folder.

    Raises:
        StoreError: the write failed; nothing lies under the final name then.
    """
    temporary = temporary_beside(path)
    with explain_write(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with temporary.open("wb") as stream:
                stream.write(data)
                stream.flush()
                os.fsync(stream.fileno())
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
        fsync_dir(path.parent)


def plain_json(value: Any) -> Any:
    """What `json` is to write for a value that it does not know: records as the objects they are.

    Raises:
        TypeError: it is none of ours.
    """
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} is not JSON")


def canonical_json(value: Any) -> bytes:
    """JSON that is the same for the same value: sorted keys, two blanks, final newline."""
    return (
        json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False, default=plain_json)
        + "\n"
    ).encode()


def write_json_atomic(path: Path, value: Any) -> None:
    """`write_bytes_atomic` of `canonical_json(value)`."""
    write_bytes_atomic(path, canonical_json(value))


def read_cached(path: Path) -> Any:
    """The JSON in a file of the cache; None where it is missing or damaged, for then it is made again."""
    try:
        return json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None


def read_json(path: Path) -> Any:
    """The JSON in a file of the store.

    Raises:
        StoreError: missing or damaged; names the file.
    """
    try:
        return json.loads(path.read_bytes())
    except FileNotFoundError as error:
        raise StoreError(
            f"{path} is missing: it was moved or deleted by hand; run the command that made it again"
        ) from error
    except (ValueError, RecursionError) as error:
        raise StoreError(
            f"{path} is damaged: no readable JSON ({error}); run the command that made it again"
        ) from error
    except OSError as error:
        raise StoreError(f"{path} cannot be read ({error.strerror}): check its owner") from error


def put_in_place(staged: Path, target: Path) -> None:
    """Give a finished folder its final name; what lay there goes. Both on one file system, the folder synced.

    The two change names in one step, so that a kill at any moment leaves the old or the new one under the name.
    Where the file system cannot do that, the old one steps aside first, and `step_back` undoes a kill between.

    Raises:
        OSError: as `os.rename` does.
    """
    if target.exists() and _exchange(staged, target):
        fsync_dir(target.parent)
        shutil.rmtree(staged, ignore_errors=True)
        return
    aside = _aside(target)
    if target.exists():
        shutil.rmtree(aside, ignore_errors=True)
        target.rename(aside)
    staged.rename(target)
    fsync_dir(target.parent)
    shutil.rmtree(aside, ignore_errors=True)


def step_back(target: Path) -> None:
    """Put back what `put_in_place` had set aside when it was killed; call it with the target's lock held."""
    aside = _aside(target)
    if aside.is_dir() and not target.exists():
        aside.rename(target)


def _aside(target: Path) -> Path:
    return target.with_name(f".{target.name}.before")


def _exchange(one: Path, other: Path) -> bool:
    """Let two paths change names at once; False where this system or file system cannot."""
    import ctypes  # 4 ms that only who publishes over something needs

    here, exchange = -100, 2  # AT_FDCWD, RENAME_EXCHANGE
    rename = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    return rename is not None and rename(here, os.fsencode(one), here, os.fsencode(other), exchange) == 0
