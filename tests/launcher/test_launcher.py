"""The launcher: a home of its own, secrets that stay secret, processes that are really ours."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from launcher import processes
from launcher.files import LaunchError
from launcher.home import Home, choose_port, inner_port

SLEEPER = [sys.executable, "-c", "import time; time.sleep(600)"]


@pytest.fixture
def home(tmp_path: Path, root: Path) -> Home:
    made = Home.of({"SPEECHMILL_ROOT": str(root), "AIRFLOW_HOME": str(tmp_path / "home")})
    made.make()
    return made


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(SLEEPER, start_new_session=True)
    yield process
    process.kill()
    process.wait()


def test_a_store_on_s3_is_refused_in_one_sentence(root: Path) -> None:
    with pytest.raises(LaunchError, match="corpora pull NAME --from s3://speech/store"):
        Home.of({"SPEECHMILL_ROOT": str(root), "SPEECHMILL_STORE": "s3://speech/store"})


def test_secrets_are_made_once_and_for_the_owner_only(home: Home) -> None:
    files = {path.name: path.read_bytes() for path in home.secrets.iterdir()}
    assert set(files) == {"fernet_key", "jwt_secret", "api_secret_key", "passwords.json"}
    assert len(set(files.values())) == 4
    for path in home.secrets.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(home.secrets.stat().st_mode) == 0o700
    home.make()
    assert {path.name: path.read_bytes() for path in home.secrets.iterdir()} == files
    assert home.users.password("reader") != home.users.password("admin")


def test_the_configuration_holds_no_secret_and_listens_to_this_machine_only(root: Path) -> None:
    text = (root / "airflow.cfg").read_text()
    assert "0.0.0.0" not in text
    assert "host = 127.0.0.1" in text
    for line in text.splitlines():
        name, _, value = line.partition("=")
        if any(word in name for word in ("secret", "fernet", "passwords")) and not name.startswith("#"):
            assert "secrets/" in value, line


def test_an_environment_of_another_airflow_does_not_leak(home: Home) -> None:
    foreign = {"AIRFLOW__CORE__EXECUTOR": "CeleryExecutor", "AIRFLOW_HOME": "/elsewhere", "PATH": "/bin"}
    environment = home.environment(foreign, 4711)
    assert "AIRFLOW__CORE__EXECUTOR" not in environment
    assert environment["AIRFLOW_HOME"] == str(home.path)
    assert environment["SPEECHMILL_PORT"] == "4711"
    assert environment["PATH"] == "/bin"
    assert environment["TMPDIR"].startswith(str(home.root / "var"))


def test_the_port_asked_for_must_be_free_and_otherwise_the_next_one_is_taken() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = other.getsockname()[1]
        with pytest.raises(LaunchError, match=f"port {taken}.*SPEECHMILL_PORT"):
            choose_port(str(taken), None)
        assert choose_port(None, taken) != taken
    assert choose_port(str(taken), None) == taken
    assert choose_port(None, taken) == taken
    for wrong in ("http", "0", "70000"):
        with pytest.raises(LaunchError, match="1 to 65535"):
            choose_port(wrong, None)


def test_the_inner_port_stays_and_two_homes_hardly_draw_the_same() -> None:
    first = inner_port(None, taken=8080)
    assert inner_port(first, taken=8080) == first
    assert inner_port(first, taken=first) != first
    with socket.socket() as other:
        other.bind(("127.0.0.1", first))
        other.listen()
        assert inner_port(first, taken=8080) != first
    assert len({inner_port(None, taken=8080) for _ in range(5)}) > 1


def test_a_record_is_believed_only_for_the_very_process(home: Home, sleeper: subprocess.Popen[bytes]) -> None:
    processes.remember(home, "scheduler", sleeper.pid)
    found = processes.find(home, "scheduler")
    assert found is not None
    assert found.pid == sleeper.pid
    record = home.run / "scheduler.json"
    stranger = json.loads(record.read_text()) | {"birth": "1 another boot"}
    record.write_text(json.dumps(stranger))
    assert processes.find(home, "scheduler") is None
    record.write_text("not json")
    assert processes.find(home, "scheduler") is None
    processes.remember(home, "scheduler", sleeper.pid)
    sleeper.kill()
    sleeper.wait()
    assert processes.find(home, "scheduler") is None


def test_terminate_also_ends_what_does_not_listen() -> None:
    program = "import signal, subprocess, time; signal.signal(15, signal.SIG_IGN); " + (
        f"subprocess.Popen({SLEEPER!r}); print(flush=True); time.sleep(600)"
    )
    deaf = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, start_new_session=True)
    assert deaf.stdout is not None
    deaf.stdout.readline()
    family = [psutil.Process(deaf.pid), *psutil.Process(deaf.pid).children()]
    assert len(family) == 2
    processes.terminate([family[0]], polite_s=0.5)
    deaf.wait()
    deaf.stdout.close()
    assert not any(one.is_running() and one.status() != psutil.STATUS_ZOMBIE for one in family)


FAKE_PART = """
import os, subprocess, sys, time
child = "import os, sys, time; os.setpgid(0, 0); open(sys.argv[1], 'w').write(str(os.getpid())); time.sleep(600)"
subprocess.Popen([sys.executable, "-c", child, f"{os.environ['AIRFLOW_HOME']}/child-{os.getpid()}"])
print(sys.argv, "shared" in sys.modules, flush=True)
time.sleep(600)
"""
FAKE_SUPERVISOR = """
import os
from launcher import lifecycle, processes
from launcher.home import Home
processes.COMPONENTS = {"api-server": ("api-server", "--port", processes.EXECUTION_PORT), "scheduler": ("scheduler",)}
processes.parts.SHARED = ("shared", "missing")
lifecycle.supervise(Home.of(os.environ))
"""


def test_the_supervisor_starts_a_dead_component_again_and_ends_all(home: Home, root: Path) -> None:
    folder = home.path / "fake"
    (folder / "airflow").mkdir(parents=True)
    (folder / "airflow/__init__.py").touch()
    (folder / "airflow/__main__.py").write_text(FAKE_PART)
    (folder / "shared.py").touch()
    environment = home.environment(os.environ, 8080, 8081) | {"PYTHONPATH": f"{folder}:{root}"}
    command = [sys.executable, "-P", "-c", FAKE_SUPERVISOR]
    supervisor = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
    try:
        first = wait_for(lambda: processes.find(home, "scheduler"))
        noted = home.path / f"child-{first.pid}"
        task = psutil.Process(int(wait_for(lambda: noted.exists() and noted.read_text())))
        first.kill()
        assert wait_for(lambda: not task.is_running() or task.status() == psutil.STATUS_ZOMBIE)
        second = wait_for(lambda: another(processes.find(home, "scheduler"), first.pid))
        assert wait_for(lambda: processes.find(home, "api-server"))
        assert wait_for(lambda: len(home.log("scheduler").read_text().splitlines()) == 2)
    finally:
        supervisor.terminate()
        said = supervisor.communicate(timeout=60)[1]
    assert supervisor.returncode == 0, said
    assert not second.is_running()
    assert list(home.run.glob("*.json")) == []
    assert "scheduler ended with status -9; starting it again in 1 s" in said
    assert "the parts do not share missing" in said
    said_by_part = home.log("api-server").read_text()
    assert "'api-server', '--port', '8081'] True" in said_by_part


def test_a_part_ends_as_a_program_would_and_its_parent_learns_how(tmp_path: Path) -> None:
    ends = {"raise SystemExit": 0, "raise SystemExit(3)": 3, "raise SystemExit('no')": 1, "1 / 0": 1, "": 0}
    (tmp_path / "airflow").mkdir()
    (tmp_path / "airflow/__init__.py").touch()
    for body, wanted in ends.items():
        (tmp_path / "airflow/__main__.py").write_text(
            f"import atexit\natexit.register(print, 'bye')\n{body}\n"
        )
        program = (
            "import os, pathlib; from launcher import parts; "
            f"print(parts.start([], os.environ, pathlib.Path({str(tmp_path / 'log')!r})).wait())"
        )
        path = {"PYTHONPATH": f"{tmp_path}:{Path(__file__).parents[2]}"}
        done = subprocess.run(
            [sys.executable, "-P", "-c", program],
            env=os.environ | path,
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout == f"{wanted}\n", body
        assert (tmp_path / "log").read_text().rstrip().endswith("bye")


def another(process: psutil.Process | None, pid: int) -> psutil.Process | None:
    return process if process and process.pid != pid else None


def wait_for(look: Any, limit_s: float = 20.0) -> Any:
    deadline_s = time.monotonic() + limit_s
    while not (found := look()):
        assert time.monotonic() < deadline_s, "it did not happen"
        time.sleep(0.05)
    return found


def test_changed_code_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "corpora").mkdir()
    (tmp_path / "airflow.cfg").write_text("")
    module = tmp_path / "corpora/stage.py"
    module.write_text("1")
    home = Home(tmp_path, tmp_path / "home", tmp_path / "store")
    before = home.code_fingerprint()
    assert home.code_fingerprint() == before
    module.write_text("22")
    assert home.code_fingerprint() != before


def launcher(command: str, environment: dict[str, str], *options: str) -> subprocess.CompletedProcess[str]:
    root = Path(environment["SPEECHMILL_ROOT"])
    line = [sys.executable, "-m", "launcher", command, *options]
    return subprocess.run(line, env=environment, cwd=root, capture_output=True, text=True, check=False)


@pytest.fixture
def own_airflow(tmp_path: Path, root: Path) -> Iterator[dict[str, str]]:
    """The environment of an Airflow of this test's own, ended after the test."""
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "SPEECHMILL"))
    }
    environment = kept | {
        "SPEECHMILL_ROOT": str(root),
        "AIRFLOW_HOME": str(tmp_path / "home"),
        "SPEECHMILL_STORE": str(tmp_path / "store"),
    }
    yield environment
    launcher("stop", environment)


@pytest.mark.slow
def test_a_whole_life_from_start_to_stop(own_airflow: dict[str, str]) -> None:
    assert launcher("status", own_airflow).returncode == 3
    started = launcher("start", own_airflow, "--json")
    assert started.returncode == 0, started.stderr
    status = json.loads(started.stdout)
    assert status["running"]
    assert status["healthy"]
    again = launcher("start", own_airflow, "--json")
    assert "already runs" in again.stderr
    assert json.loads(again.stdout)["components"] == status["components"]
    listening = [
        connection.laddr
        for pid in status["components"].values()
        for process in [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
        for connection in process.net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    ]
    assert {address.ip for address in listening} == {"127.0.0.1"}
    os.kill(status["components"]["scheduler"], signal.SIGKILL)
    revived = wait_for(lambda: another_pid(own_airflow, status["components"]["scheduler"]), limit_s=30)
    assert revived != status["components"]["scheduler"]
    stopped = launcher("stop", own_airflow)
    assert "stopped" in stopped.stdout
    assert launcher("stop", own_airflow).stdout.strip() == "Airflow is not running"
    mentions = [one for one in psutil.process_iter(["environ"]) if belongs(one, own_airflow["AIRFLOW_HOME"])]
    assert mentions == []


def another_pid(environment: dict[str, str], pid: int) -> int | None:
    found = json.loads(launcher("status", environment, "--json").stdout)["components"]["scheduler"]
    return found if found and found != pid else None


def belongs(process: psutil.Process, home: str) -> bool:
    return process.pid != os.getpid() and (process.info["environ"] or {}).get("AIRFLOW_HOME") == home
