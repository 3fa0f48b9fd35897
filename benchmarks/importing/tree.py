"""CPU time of a command and of everything it starts, also of what outlives its parent (a pool's fork server).

The command runs below a small process of its own, which Linux makes the parent of every orphan further down
(PR_SET_CHILD_SUBREAPER): once nothing is left below it, its children's times are those of the whole tree.
Processes whose parents ignore SIGCHLD are not counted: the kernel forgets them.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

_SUBREAPER = 36  # PR_SET_CHILD_SUBREAPER of <linux/prctl.h>
_LEFT_BEHIND_S = 60.0
_LARGEST_FILE = 8 << 30  # bytes; a program that complains for ever must not fill the disk


@dataclass(frozen=True)
class TreeUsage:
    """What a command cost.

    Attributes:
        status: exit status; negative: minus the signal that ended it.
        cpu_s: user and system time of the command and all its descendants.
        wall_s: until the command ended.
        peak_mb: the largest resident memory of any one process, MB.
        left_behind: processes still ran a minute after the command; their time is missing.
    """

    status: int
    cpu_s: float
    wall_s: float
    peak_mb: float
    left_behind: bool


def run_tree(command: Sequence[str], environment: Mapping[str, str], folder: Path, log: Path) -> TreeUsage:
    """Run a command in `folder`, what it says going into `log`.

    Raises:
        OSError: the command does not exist.
    """
    reading, writing = os.pipe()
    with os.fdopen(reading) as answer, log.open("wb") as stream:
        try:
            process = subprocess.Popen(
                [sys.executable, "-I", __file__, str(writing), *command],
                stdout=stream,
                stderr=stream,
                env=dict(environment),
                cwd=folder,
                pass_fds=(writing,),
            )
        finally:
            os.close(writing)
        told = answer.read()
        process.wait()
    if not told:
        raise OSError(f"{command[0]} could not be started: {log.read_text(errors='replace')[-300:]}")
    return TreeUsage(**json.loads(told))


def _launch(command: Sequence[str]) -> TreeUsage:
    """Run the command as a child and wait for all of its descendants."""
    if ctypes.CDLL(None, use_errno=True).prctl(_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "this system does not hand orphans over (PR_SET_CHILD_SUBREAPER)")
    resource.setrlimit(resource.RLIMIT_FSIZE, (_LARGEST_FILE, _LARGEST_FILE))
    began = time.monotonic()
    first = os.posix_spawnp(command[0], list(command), os.environ)
    _, ended = os.waitpid(first, 0)
    wall_s = time.monotonic() - began
    left_behind = not _wait_for_all(_LEFT_BEHIND_S)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return TreeUsage(
        status=os.waitstatus_to_exitcode(ended),
        cpu_s=used.ru_utime + used.ru_stime,
        wall_s=wall_s,
        peak_mb=used.ru_maxrss / 1024,
        left_behind=left_behind,
    )


def _wait_for_all(longest_s: float) -> bool:
    """Wait until there is no child any more, orphans included; False if some are left then."""
    deadline = time.monotonic() + longest_s
    while True:
        try:
            process, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return True
        if process == 0:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.01)


if __name__ == "__main__":
    channel = int(sys.argv[1])
    os.set_inheritable(channel, False)
    usage = _launch(sys.argv[2:])
    os.write(channel, json.dumps(asdict(usage)).encode())
