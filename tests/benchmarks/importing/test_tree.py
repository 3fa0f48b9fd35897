"""The CPU time of a process tree holds what its orphans used, and says so where some never end."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest

from benchmarks.importing import tree

_BURN = "import time\nwhile time.process_time() < {seconds}: pass\n"


def usage(tmp_path: Path, program: str) -> tree.TreeUsage:
    return tree.run_tree([sys.executable, "-c", program], os.environ, tmp_path, tmp_path / "log")


def test_children_count(tmp_path: Path) -> None:
    child = _BURN.format(seconds=0.4)
    program = f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {child!r}])\n"
    used = usage(tmp_path, program)
    assert used.status == 0 and not used.left_behind
    assert used.cpu_s > 0.35
    assert used.peak_mb > 1


def test_orphans_count(tmp_path: Path) -> None:
    """The command ends at once; its grandchild, whose parent is gone too, works on."""
    orphan = _BURN.format(seconds=0.6)
    child = f"import subprocess, sys\nsubprocess.Popen([sys.executable, '-c', {orphan!r}])\n"
    program = f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {child!r}])\n"
    used = usage(tmp_path, program)
    assert used.status == 0 and not used.left_behind
    assert used.cpu_s > 0.55


def test_workers_of_a_fork_server_count(tmp_path: Path) -> None:
    """Python's own pool of that kind: its workers are children of a server that outlives the command."""
    (tmp_path / "busy.py").write_text(
        "import time\nfrom concurrent.futures import ProcessPoolExecutor\nfrom multiprocessing import get_context\n"
        "def burn(_):\n    start = time.process_time()\n    while time.process_time() - start < 0.4: pass\n"
        "if __name__ == '__main__':\n"
        "    with ProcessPoolExecutor(2, mp_context=get_context('forkserver')) as pool:\n"
        "        list(pool.map(burn, range(2)))\n"
    )
    used = tree.run_tree([sys.executable, "busy.py"], os.environ, tmp_path, tmp_path / "log")
    assert used.status == 0
    assert used.cpu_s > 0.75


def test_ends_are_told(tmp_path: Path) -> None:
    assert usage(tmp_path, "import sys; print('heard'); sys.exit(3)").status == 3
    assert (tmp_path / "log").read_text() == "heard\n"
    assert usage(tmp_path, "import os; os.kill(os.getpid(), 9)").status == -9
    with pytest.raises(OSError, match="could not be started"):
        tree.run_tree([str(tmp_path / "absent")], os.environ, tmp_path, tmp_path / "log")


def test_what_never_ends_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A command that leaves a sleeper: the answer says so after the longest wait."""
    source = Path(tree.__file__).read_text().replace("_LEFT_BEHIND_S = 60.0", "_LEFT_BEHIND_S = 0.2")
    (tmp_path / "quick.py").write_text(source)
    monkeypatch.setattr(tree, "__file__", str(tmp_path / "quick.py"))
    used = usage(tmp_path, "import subprocess\nprint(subprocess.Popen(['sleep', '600']).pid, flush=True)\n")
    os.kill(int((tmp_path / "log").read_text()), signal.SIGKILL)
    assert used.left_behind
