"""The set-up's checks: each passes in silence or says in one sentence what is wrong and what mends it."""

from __future__ import annotations

import os
import socket
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def run(script: str, path: Path | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
    """Sources scripts/checks.sh and runs a line; `path` comes first on PATH so that commands can be replaced."""
    variables = {**os.environ, **environment}
    if path is not None:
        variables["PATH"] = f"{path}:{variables['PATH']}"
    return subprocess.run(
        ["bash", "-c", f". scripts/checks.sh; {script}"],
        cwd=ROOT,
        env=variables,
        capture_output=True,
        text=True,
        check=False,
    )


def fake(directory: Path, name: str, body: str) -> None:
    """An executable of that name that does what the body says."""
    (directory / name).write_text(f"#!/bin/sh\n{body}\n")
    (directory / name).chmod(0o755)


def one_sentence(result: subprocess.CompletedProcess[str]) -> str:
    assert result.returncode == 1
    assert result.stderr.startswith("speechmill: ") and result.stderr.count("\n") == 1, result.stderr
    return result.stderr


def test_too_little_disk_is_said_with_the_figure_needed(tmp_path: Path) -> None:
    fake(tmp_path, "df", "echo 'Filesystem 1024-blocks Used Available'; echo '/dev/x 9 9 3145728 9% /'")
    message = one_sentence(run("check_disk 8", tmp_path))
    assert "only 3 GB" in message and "8 GB are needed" in message
    fake(tmp_path, "df", "echo 'Filesystem 1024-blocks Used Available'; echo '/dev/x 9 9 8388608 9% /'")
    assert run("check_disk 8", tmp_path).returncode == 0


def test_a_wrong_python_is_named_with_the_remedy(tmp_path: Path) -> None:
    fake(tmp_path, "oldpython", "echo 3.9")
    message = one_sentence(run("find_python ''", PYTHON=str(tmp_path / "oldpython")))
    assert "3.11 is needed" in message and "found 3.9" in message and "make PYTHON=" in message


def test_the_right_python_is_found(tmp_path: Path) -> None:
    fake(tmp_path, "goodpython", "echo 3.11")
    result = run("find_python ''", PYTHON=str(tmp_path / "goodpython"))
    assert result.returncode == 0 and result.stdout.strip() == str(tmp_path / "goodpython")


def test_no_root_for_missing_packages_gives_the_command_to_run(tmp_path: Path) -> None:
    fake(tmp_path, "id", "echo 1000")
    fake(tmp_path, "sudo", "exit 1")
    message = one_sentence(run("check_root 'sox ninja-build'", tmp_path))
    assert "sudo apt-get install --no-install-recommends sox ninja-build" in message


def test_no_network_is_said(tmp_path: Path) -> None:
    fake(tmp_path, "python-without-network", "exit 1")
    message = one_sentence(run(f"check_network '' {tmp_path / 'python-without-network'}"))
    assert message.startswith("speechmill: no network")


def test_a_taken_port_is_found_and_another_one_proposed() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        message = one_sentence(run("python_airflow_runs_here() { false; }; check_port", SPEECHMILL_PORT=port))
        assert f"port {port}" in message and "make demo SPEECHMILL_PORT=" in message
    assert run("python_airflow_runs_here() { false; }; check_port", SPEECHMILL_PORT=port).returncode == 0


@pytest.mark.parametrize("script", ["setup.sh --nonsense"])
def test_an_unknown_option_is_refused(script: str) -> None:
    result = subprocess.run(
        ["bash", *f"scripts/{script}".split()], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert result.returncode == 2 and "unknown option --nonsense" in result.stderr


def test_the_checks_come_before_every_change() -> None:
    """In setup.sh no command that changes the machine stands above the last check."""
    lines = (ROOT / "scripts" / "setup.sh").read_text().split("\n")
    last_check = max(i for i, line in enumerate(lines) if line.startswith("[ -z") and "check_" in line)
    changing = ("mkdir", "rm ", "apt-get", "touch ", "install_packages", "quietly")
    early = [line for line in lines[:last_check] if line.strip().startswith(changing)]
    assert not early, early
