"""Parts of Airflow as children of one process that has imported what they share.

Started one by one they would hold the same 100 to 190 MiB of modules each; forked, they share them. Nothing here knows what
a part does: it runs `airflow` with its arguments as `python -m airflow` would.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import logging
import os
import runpy
import signal
import sys
import traceback
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from setproctitle import setproctitle

log = logging.getLogger("supervisor")
SHARED = (
    "airflow.cli.commands.scheduler_command",
    "airflow.cli.commands.dag_processor_command",
    "airflow.cli.commands.triggerer_command",
    "airflow.cli.commands.api_server_command",
    "airflow.api_fastapi.execution_api.app",
    "airflow.api_fastapi.execution_api.routes",
    "airflow.api_fastapi.core_api.app",
    "airflow.api_fastapi.core_api.routes.public",
    "airflow.api_fastapi.core_api.routes.ui",
    "airflow.api_fastapi.auth.managers.simple.simple_auth_manager",
    "airflow.executors.local_executor",
    "aiosqlite",
)


def import_shared(modules: Iterable[str]) -> None:
    """Import what parts forked from here share. One that another Airflow does not have costs memory, and is logged."""
    for module in modules:
        try:
            importlib.import_module(module)
        except ImportError as error:
            log.warning("the parts do not share %s: %s", module, error)
    gc.collect()
    gc.freeze()  # a collection in a child would write to every object, and so copy the pages that they lie in


@dataclass
class Part:
    """A running part: a child of this process, leader of a session of its own."""

    pid: int
    status: int | None = None

    def poll(self) -> int | None:
        """Exit status as subprocess has it (negative: the signal), None while it runs."""
        return self._reap(os.WNOHANG)

    def wait(self) -> int | None:
        """Wait for its end."""
        return self._reap(0)

    def _reap(self, options: int) -> int | None:
        if self.status is None:
            try:
                ended, status = os.waitpid(self.pid, options)
            except ChildProcessError:  # somebody else has waited for it, and knows how it ended
                self.status = 0
            else:
                self.status = os.waitstatus_to_exitcode(status) if ended else None
        return self.status


def start(arguments: Sequence[str], environment: Mapping[str, str], path: Path) -> Part:
    """Fork a part; what it writes goes to the end of the file `path`. This process must have one thread."""
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid:
        return Part(pid)
    status = 1
    try:
        _detach(arguments, environment, path)
        status = _run(arguments)
    except BaseException:
        traceback.print_exc()
    finally:
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def _detach(arguments: Sequence[str], environment: Mapping[str, str], path: Path) -> None:
    """In the child: no signal handler, input or output of the parent's is left."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.setsid()
    setproctitle(" ".join(["airflow", *arguments]))
    os.environ.clear()
    os.environ.update(environment)
    nothing = os.open(os.devnull, os.O_RDONLY)
    output = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    for number, opened in enumerate((nothing, output, output)):
        os.dup2(opened, number)
    os.closerange(min(nothing, output), max(nothing, output) + 1)


def _run(arguments: Sequence[str]) -> int:
    """`python -m airflow ARGUMENTS` in this process; its exit status."""
    sys.argv = ["airflow", *arguments]
    try:
        runpy.run_module("airflow", run_name="__main__", alter_sys=True)
    except SystemExit as end:
        if isinstance(end.code, str):
            sys.stderr.write(f"{end.code}\n")
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    return 0
