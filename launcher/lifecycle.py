"""Bring Airflow up, look at it, end it.

Five components under one supervisor, everything on 127.0.0.1, secrets made on the first start. A second
start says that Airflow already runs. Works from any directory and beside the Airflow of another checkout: the
home ($AIRFLOW_HOME, var/airflow) and the port ($SPEECHMILL_PORT, else 8080 or the next free one) are its own.
It imports no Airflow, and of our packages only what writes files, and training for ending its jobs on stop.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import importlib.metadata
import json
import logging
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

from launcher import processes
from launcher.files import LaunchError
from launcher.home import HOST, Api, Home, choose_port, inner_port

START_LIMIT_S = 600.0
STOP_LIMIT_S = 45.0
PARTS = ("metadatabase", "scheduler", "dag_processor", "triggerer")


def say(text: str) -> None:
    """Progress for a person; standard output is kept for results."""
    print(text, file=sys.stderr, flush=True)


@contextlib.contextmanager
def alone(home: Home) -> Iterator[None]:
    """Only one start or stop of a home at a time."""
    with (home.run / "lock").open("w") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield


def read_state(home: Home) -> dict[str, Any]:
    """What the last start wrote: port and store."""
    try:
        state: dict[str, Any] = json.loads((home.run / "state.json").read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return state


def health(port: int) -> dict[str, str]:
    """State of every part as Airflow itself sees it; empty when the api-server does not answer."""
    try:
        answer = Api(port).get("/api/v2/monitor/health")
    except (OSError, ValueError, LaunchError):
        return {}
    return {part: (answer.get(part) or {}).get("status") or "unknown" for part in PARTS}


def look(home: Home) -> dict[str, Any]:
    """Everything `status --json` prints."""
    found = {name: processes.find(home, name) for name in (processes.SUPERVISOR, *processes.COMPONENTS)}
    state = read_state(home)
    port = state.get("port")
    running = all(found.values()) and port is not None
    parts = health(port) if running and port else {}
    result: dict[str, Any] = {
        "running": running,
        "healthy": bool(parts) and set(parts.values()) == {"healthy"},
        "components": {name: process.pid if process else None for name, process in found.items()},
        "health": parts,
        "home": str(home.path),
        "store": state.get("store", str(home.store)),
        "sources": home.sources_file.read_text("utf-8") if home.sources_file.exists() else "",
        "port": port,
        "url": f"http://{HOST}:{port}" if port else None,
    }
    if running:
        admin = home.users.admin()
        result |= {"user": admin, "password": home.users.password(admin)}
    return result


def describe(status: dict[str, Any]) -> str:
    """The lines a person needs to log in."""
    port, user = status["port"], os.environ.get("USER") or "user"
    lines = [f"  {status['url']}   user {status['user']}   password {status['password']}"]
    lines.append(
        f"  others and their roles: python -m launcher users; passwords in {status['home']}/secrets/passwords.json"
    )
    lines.append("  roles: admin does everything, op starts runs and decides about models, viewer looks")
    if os.environ.get("SSH_CONNECTION"):
        machine = os.environ["SSH_CONNECTION"].split()[2]
        tunnel = f"ssh -L {port}:{HOST}:{port} {user}@{machine}"
        lines.append(f"  from your own machine: {tunnel}   (then the same URL there)")
    return "\n".join(lines)


def start(home: Home) -> dict[str, Any]:
    """Bring Airflow up, or find it running; returns its status. LaunchError says why it did not come up."""
    home.make()
    with alone(home):
        home.set_sources(os.environ.get("SPEECHMILL_SOURCES"))
        status, wanted = look(home), _wanted(home)
        known = read_state(home)
        if status["running"] and all(known.get(key) == value for key, value in wanted.items()):
            wait_until_usable(home, status["port"])
            say("Airflow already runs:")
            return look(home)
        if any(status["components"].values()):
            changed = [key for key, value in wanted.items() if known.get(key) != value]
            reason = f"with another {' and '.join(changed)}" if changed else "incompletely"
            say(f"Airflow runs {reason}; starting it anew")
            end_processes(home)
        begun_s = time.monotonic()
        port, environment = _prepare(home, wanted)
        with home.log(processes.SUPERVISOR).open("ab") as stream:
            supervisor = subprocess.Popen(
                [sys.executable, "-m", "launcher", "supervise"],
                cwd=home.root, env=environment, stdin=subprocess.DEVNULL, stdout=stream, stderr=stream,
                start_new_session=True,
            )  # fmt: skip
        processes.remember(home, processes.SUPERVISOR, supervisor.pid)
        wait_until_usable(home, port)
        look_at_sources(home, environment)
        say(f"Airflow is up after {time.monotonic() - begun_s:.1f} s:")
        return look(home)


def look_at_sources(home: Home, environment: dict[str, str]) -> None:
    """Have it found out beside, and without hurry, what lies below the allowed roots: the form offers it."""
    with home.log("offers").open("wb") as stream:
        subprocess.Popen(
            ["nice", "-n", "10", sys.executable, "-m", "corpora", "offers"],
            cwd=home.root, env=environment, stdin=subprocess.DEVNULL, stdout=stream, stderr=stream,
            start_new_session=True,
        )  # fmt: skip


def _wanted(home: Home) -> dict[str, str]:
    """What running processes must have been started with to be left as they are."""
    users = hashlib.sha256(home.users.for_airflow().encode()).hexdigest()[:16]
    return {"store": str(home.store), "code": home.code_fingerprint(), "users": users}


def _prepare(home: Home, wanted: dict[str, str]) -> tuple[int, dict[str, str]]:
    """Choose ports, make the database, write down what will run; answers the port and the environment."""
    known = read_state(home)
    port = choose_port(os.environ.get("SPEECHMILL_PORT"), known.get("port"))
    execution_port = inner_port(known.get("execution_port"), port)
    environment = home.environment(os.environ, port, execution_port)
    migrate(home, environment)
    state = {"port": port, "execution_port": execution_port, **wanted}
    (home.run / "state.json").write_text(json.dumps(state), "utf-8")
    return port, environment


def run(home: Home) -> NoReturn:
    """Bring Airflow up and stay its supervisor, until SIGTERM: for systemd and its like.

    Raises:
        LaunchError: it runs already, or cannot be prepared.
    """
    home.make()
    with alone(home):
        home.set_sources(os.environ.get("SPEECHMILL_SOURCES"))
        if any(look(home)["components"].values()):
            raise LaunchError(f"Airflow of {home.path} runs already: python -m launcher stop")
        port, environment = _prepare(home, _wanted(home))
        processes.remember(home, processes.SUPERVISOR, os.getpid())
    say(f"Airflow begins on http://{HOST}:{port}; python -m launcher status says when it is usable")
    # As a program of its own: where compiled modules lie is read where Python begins.
    os.chdir(home.root)
    os.execve(sys.executable, [sys.executable, "-m", "launcher", "supervise"], environment)


def migrate(home: Home, environment: dict[str, str]) -> None:
    """Make or upgrade the database, only when it is missing, another one or was made by another Airflow."""
    marker = home.run / "database"
    version = importlib.metadata.version("apache-airflow")
    made_by = marker.read_text("utf-8") if marker.exists() else None
    server = environment.get("SPEECHMILL_DB", "")
    made_here = hashlib.sha256(f"{version} {server}".encode()).hexdigest()
    if made_by == made_here and (server or (home.path / "airflow.db").exists()):
        return
    say(f"making the database of Airflow {version}")
    path = home.log("migrate")
    with path.open("wb") as stream:
        done = subprocess.run(
            [sys.executable, "-m", "airflow", "db", "migrate"],
            cwd=home.root, env=environment, stdout=stream, stderr=stream, check=False,
        )  # fmt: skip
    if done.returncode != 0:
        raise LaunchError(f"the database could not be made; the reason is at the end of {path}")
    marker.write_text(made_here, "utf-8")


def wait_until_usable(home: Home, port: int) -> None:
    """Wait for all parts to be healthy and for every DAG file to be read; LaunchError after ten minutes."""
    expected = {path.stem for path in (home.root / "dags").glob("*.py")} - {"assets"}
    api, deadline_s = Api(port), time.monotonic() + START_LIMIT_S
    missing: object = "everything"
    while time.monotonic() < deadline_s:
        parts = health(port)
        missing = [part for part in PARTS if parts.get(part) != "healthy"]
        if not missing:
            try:
                admin = home.users.admin()
                api.log_in(admin, home.users.password(admin))
                read = {dag["dag_id"] for dag in api.get("/api/v2/dags?limit=100")["dags"]}
                errors = api.get("/api/v2/importErrors")["import_errors"]
            except (OSError, LaunchError):
                read, errors = set(), []
            missing = sorted(expected - read)
            if errors and missing:
                names = ", ".join(f"{error['filename']}: {error['stack_trace']}" for error in errors)
                raise LaunchError(f"a DAG file cannot be read: {names}")
            if not missing:
                return
        if processes.find(home, processes.SUPERVISOR) is None:
            raise LaunchError(f"Airflow's supervisor ended; see {home.log(processes.SUPERVISOR)}")
        time.sleep(0.25)
    folder = home.log("any").parent
    raise LaunchError(
        f"Airflow is not usable after {START_LIMIT_S:.0f} s (waiting for {missing}); see {folder}"
    )


def supervise(home: Home) -> None:
    """Run in the background by `start`: hold the components."""
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    processes.log.addHandler(
        handler
    )  # of its own: Airflow, which is imported here, sets up the logging of all others
    processes.log.propagate = False
    processes.log.setLevel(logging.INFO)
    processes.Supervisor(home, dict(os.environ)).run()
    processes.forget(home, processes.SUPERVISOR)


def end_processes(home: Home) -> bool:
    """End supervisor and components, whichever of them live; False when none did."""
    found = [processes.find(home, name) for name in (processes.SUPERVISOR, *processes.COMPONENTS)]
    supervisor, *components = found
    if supervisor:
        processes.terminate([supervisor], polite_s=STOP_LIMIT_S)
    processes.terminate([component for component in components if component and component.is_running()])
    for name in (processes.SUPERVISOR, *processes.COMPONENTS):
        processes.forget(home, name)
    return any(found)


def stop(home: Home) -> str:
    """End Airflow and the training jobs it dispatched on this machine; returns what was done."""
    if not home.run.exists():
        return "Airflow is not running"
    begun_s = time.monotonic()
    with alone(home):
        store = Path(read_state(home).get("store", home.store))
        ended = end_processes(home)
        jobs = end_jobs(store) if ended else []
    if not ended:
        return "Airflow is not running"
    suffix = (
        f"; ended the training jobs {', '.join(jobs)} (a retry goes on from their checkpoints)"
        if jobs
        else ""
    )
    return f"Airflow stopped after {time.monotonic() - begun_s:.1f} s{suffix}"


def end_jobs(store: Path) -> list[str]:
    """Cancel the local training jobs of a store; returns the runs they belonged to."""
    active = []
    for path in sorted(store.glob("runs/*/state.json")):
        with contextlib.suppress(OSError, ValueError):
            if json.loads(path.read_text("utf-8")).get("state") in {"queued", "running"}:
                active.append(path.parent.name)
    if active:
        os.environ["SPEECHMILL_STORE"] = str(store)
        from training.dispatch import BACKENDS

        dispatcher = BACKENDS["local"]()
        for run in active:
            dispatcher.cancel(run)
    return active


def logs(home: Home, lines: int) -> str:
    """The newest lines of every component's log."""
    parts = []
    for name in (processes.SUPERVISOR, *processes.COMPONENTS):
        path = home.log(name)
        tail = path.read_text("utf-8", "replace").splitlines()[-lines:] if path.exists() else ["(no log yet)"]
        parts.append("\n".join([f"==> {path} <==", *tail]))
    return "\n".join(parts)


def summary(status: dict[str, Any]) -> str:
    """What `start` and `status` print for a person."""
    if not status["running"]:
        down = [name for name, pid in status["components"].items() if pid is None]
        state = (
            "is not running"
            if len(down) == len(status["components"])
            else f"is incomplete: {', '.join(down)} down"
        )
        return f"Airflow {state} ({status['home']})"
    parts = (
        ", ".join(f"{part} {state}" for part, state in status["health"].items())
        or "the api-server does not answer"
    )
    return f"{describe(status)}\n  {parts}"
