"""Workers of a process that is killed end by themselves, and so does what forked them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

SCRIPT = """
import multiprocessing, os, time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import forkserver
from corpora.refresh.orphans import end_with_parent

if __name__ == "__main__":
    context = multiprocessing.get_context("forkserver")
    with ProcessPoolExecutor(2, mp_context=context, initializer=end_with_parent) as pool:
        pids = {future.result() for future in [pool.submit(os.getpid) for _ in range(8)]}
        waiting = [pool.submit(time.sleep, 60) for _ in range(2)]
        print(*pids, forkserver._forkserver._forkserver_pid, flush=True)
        time.sleep(60)
"""


def lives(pid: int) -> bool:
    try:
        return " Z " not in Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False


def test_workers_end_when_their_parent_is_killed(tmp_path: Path) -> None:
    script = tmp_path / "pool.py"
    script.write_text(SCRIPT)
    with subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True) as main:
        assert main.stdout is not None
        pids = [int(word) for word in main.stdout.readline().split()]
        assert len(pids) >= 2 and all(lives(pid) for pid in pids)
        os.kill(main.pid, signal.SIGKILL)
        main.wait()
        deadline_s = time.monotonic() + 10
        while any(lives(pid) for pid in pids) and time.monotonic() < deadline_s:
            time.sleep(0.05)
        assert [pid for pid in pids if lives(pid)] == []
