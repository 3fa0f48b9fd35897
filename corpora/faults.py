"""What an error that nobody foresaw becomes: a rejection that says where in the program it happened."""

from __future__ import annotations

import errno
import traceback
from pathlib import PurePath

from store.errors import StoreError

FAULT = "fault"  # the check of such a rejection
_LONGEST = 300  # letters of the library's own words
_OF_THE_MACHINE = {
    errno.ENOSPC,
    errno.EDQUOT,
    errno.EFBIG,
    errno.EROFS,
    errno.EMFILE,
    errno.ENFILE,
    errno.ENOMEM,
}


def is_of_the_machine(error: BaseException) -> bool:
    """Whether a full disk or the like is to blame, so that the next run may do better: no item is refused for it."""
    return isinstance(error, StoreError) or (isinstance(error, OSError) and error.errno in _OF_THE_MACHINE)


def fault_reason(error: BaseException) -> str:
    """One sentence: the kind of error, what it says, and the file and line it comes from."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [
        frame
        for frame in frames
        if "site-packages" not in frame.filename and "/lib/python" not in frame.filename
    ]
    where = "".join(
        f" at {PurePath(frame.filename).name}:{frame.lineno}" for frame in (ours or [*frames])[-1:]
    )
    said = " ".join(str(error).split())[:_LONGEST]
    return (
        f"an error that the importer did not foresee{where}: {type(error).__name__}{': ' + said if said else ''}; "
        "please report it with this file"
    )
