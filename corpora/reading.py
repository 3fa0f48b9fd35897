"""Files opened once, below the folder they were listed in: a link that leads out of it is never followed.

What is looked at before opening may be another file when it is opened. So the file is opened first, and then the
system is asked where it really lies and what it is. Devices and pipes are refused and never waited for. Whoever needs a
path (libsndfile, ffmpeg) gets one of the open file, not its name.
"""

from __future__ import annotations

import io
import os
import stat
from pathlib import Path

_PROC = Path("/proc/self/fd")


class OutsideError(OSError):
    """The name leads out of its folder, or to something that is no file."""


def open_below(root: Path, name: str) -> io.BufferedReader:
    """A file of a folder for reading; links are followed while they stay inside.

    Args:
        root: the folder, resolved. name: relative to it.

    Raises:
        OutsideError: it lies elsewhere, or is no regular file. OSError: it is not there, or must not be read.
    """
    handle = os.open(root / name, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise OutsideError(f"{name} is no regular file (device, pipe or folder)")
        if not real_path(handle, root / name).is_relative_to(root):
            raise OutsideError(
                f"{name} leads out of {root.name}: a link, perhaps exchanged since it was listed"
            )
        return os.fdopen(handle, "rb")
    except OSError:
        os.close(handle)
        raise


def real_path(handle: int, path: Path) -> Path:
    """Where an open file lies. Without /proc that of its name is taken, where it is still the same file.

    Raises:
        OutsideError: its name belongs to another file by now.
    """
    if _PROC.exists():
        return (_PROC / str(handle)).readlink()
    real = path.resolve()
    if not os.path.samestat(os.fstat(handle), real.stat()):
        raise OutsideError(f"{path.name} was exchanged while it was opened")
    return real


def held_path(handle: int, path: Path) -> Path:
    """A path that leads to an open file while it is open, whatever happens to its name; children need `handles_of`.

    Without /proc it is where the file lies now, as `real_path` finds it.
    """
    return _PROC / str(handle) if _PROC.exists() else real_path(handle, path)


def handles_of(path: Path) -> tuple[int, ...]:
    """What a child process must inherit (`pass_fds`) to open a path of `held_path`; nothing for any other path."""
    return (int(path.name),) if path.parent == _PROC else ()
