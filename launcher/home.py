"""Airflow's home: its folders, port, secrets and the environment its processes get.

It starts and stops nothing (launcher/processes.py) and never imports Airflow: making a home takes
milliseconds. All of it lies under $AIRFLOW_HOME (var/airflow); the secrets are files of mode 0600.
"""

from __future__ import annotations

import base64
import hashlib
import http.client
import json
import os
import secrets
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from launcher.files import LaunchError, write_private
from launcher.users import Users

HOST = "127.0.0.1"
DEFAULT_PORT = 8080
PORTS_TO_TRY = 200
INNER_PORTS = range(20_000, 32_000)
RUNS_FROM = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Home:
    """Where one checkout keeps its Airflow, its store and its caches."""

    root: Path
    path: Path
    store: Path

    @staticmethod
    def of(environ: Mapping[str, str]) -> Home:
        """The home that the environment names: $AIRFLOW_HOME and $SPEECHMILL_STORE, else under var/.

        Raises:
            LaunchError: the store is a URL.
        """
        root = Path(environ.get("SPEECHMILL_ROOT") or RUNS_FROM).resolve()
        path = Path(environ.get("AIRFLOW_HOME") or root / "var/airflow").resolve()
        named = environ.get("SPEECHMILL_STORE") or ""
        if "://" in named:
            raise LaunchError(
                f"SPEECHMILL_STORE is {named!r}; Airflow's store must lie on a disk: name a folder, and bring corpora "
                f"there with python -m corpora pull NAME --from {named}"
            )
        store = Path(named or root / "var/store").resolve()
        return Home(root, path, store)

    @property
    def run(self) -> Path:
        """Records of the running processes."""
        return self.path / "run"

    @property
    def secrets(self) -> Path:
        """Keys and passwords."""
        return self.path / "secrets"

    @property
    def sources_file(self) -> Path:
        """The roots under which `corpus_refresh` may read; running tasks see a change at once."""
        return self.path / "sources"

    def log(self, component: str) -> Path:
        """The log file of one component."""
        return self.path / "logs" / "components" / f"{component}.log"

    def make(self) -> None:
        """Make folders and secrets that are missing; what exists stays as it is."""
        for folder in (self.path, self.run, self.secrets):
            folder.mkdir(parents=True, exist_ok=True)
            folder.chmod(0o700)
        self.log("any").parent.mkdir(parents=True, exist_ok=True)
        for folder in (self.root / "var/tmp", self.root / "var/cache"):
            folder.mkdir(parents=True, exist_ok=True)
        fernet = base64.urlsafe_b64encode(os.urandom(32)).decode()
        for name, value in (
            ("fernet_key", fernet),
            ("jwt_secret", secrets.token_hex(32)),
            ("api_secret_key", secrets.token_hex(32)),
        ):
            if not (self.secrets / name).exists():
                write_private(self.secrets / name, value)
        self.users.make_passwords()

    @property
    def users(self) -> Users:
        """Who may log in."""
        return Users(self.path / "users.toml", self.secrets / "passwords.json")

    def set_sources(self, sources: str | None) -> None:
        """Store colon-separated roots as those that sources may lie under; None keeps what is stored."""
        if sources is not None:
            write_private(self.sources_file, sources)

    def code_fingerprint(self) -> str:
        """Changes with the code that running processes have loaded: ours, and the configuration."""
        digest = hashlib.sha256()
        folders = (
            "native",
            "build/native/python",
            "store",
            "corpora",
            "lm",
            "scoring",
            "training",
            "plugins",
        )
        files = [path for folder in folders for path in (self.root / folder).rglob("*")]
        for path in sorted([*files, self.root / "airflow.cfg"]):
            if path.suffix in {".py", ".so", ".cfg", ".html", ".txt"}:
                stat = path.stat()
                digest.update(f"{path} {stat.st_size} {stat.st_mtime_ns}\n".encode())
        return digest.hexdigest()[:16]

    def environment(
        self, environ: Mapping[str, str], port: int, execution_port: int | None = None
    ) -> dict[str, str]:
        """What every component and every task gets; temporary and cache folders lie under var/.

        Args:
            port: of what people ask. execution_port: of what tasks ask; None = the same.
        """
        cache, temporary = self.root / "var/cache", self.root / "var/tmp"
        defaults = {
            "TMPDIR": str(temporary),
            "PYTHONPYCACHEPREFIX": str(cache / "pycache"),
            "XDG_CACHE_HOME": str(cache),
            "KERAS_HOME": str(cache / "keras"),
            "MPLCONFIGDIR": str(cache / "matplotlib"),
            "DASK_TEMPORARY_DIRECTORY": str(temporary / "dask"),
            "GX_ANALYTICS_ENABLED": "false",
            "ORT_DISABLE_TELEMETRY": "1",
            "TF_CPP_MIN_LOG_LEVEL": "2",
        }
        own = {
            "SPEECHMILL_ROOT": str(self.root),
            "SPEECHMILL_STORE": str(self.store),
            "SPEECHMILL_PORT": str(port),
            "SPEECHMILL_EXECUTION_PORT": str(execution_port or port),
            "SPEECHMILL_SOURCES_FILE": str(self.sources_file),
            "AIRFLOW_HOME": str(self.path),
            "AIRFLOW_CONFIG": str(self.root / "airflow.cfg"),
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": self.users.for_airflow(),
            "PYTHONPATH": str(self.root),
            "PYTHONUNBUFFERED": "1",
        }
        # SQLite is airflow.cfg's default; a server is named by its URL, which holds a password and so stays out of files.
        if environ.get("SPEECHMILL_DB"):
            own["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"] = environ["SPEECHMILL_DB"]
        if environ.get("SPEECHMILL_URL"):
            own["AIRFLOW__API__BASE_URL"] = environ["SPEECHMILL_URL"].rstrip("/")
        # Settings of another Airflow in the caller's shell must not leak into this one; and without compiled
        # modules (they go to var/cache) every process would start two to three times slower.
        kept = {name: value for name, value in environ.items() if not name.startswith("AIRFLOW__")}
        kept.pop("PYTHONDONTWRITEBYTECODE", None)
        return {**defaults, **kept, **own}


def port_is_free(port: int) -> bool:
    """Whether this process could listen on the port of the loopback interface."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def choose_port(wanted: str | None, last: int | None) -> int:
    """The port asked for, or else the last one used, 8080 or the next free one.

    LaunchError when the port asked for is not a number or is taken.
    """
    if wanted:
        if not wanted.isdigit() or not 0 < int(wanted) < 65536:
            raise LaunchError(f"SPEECHMILL_PORT is {wanted!r}; it must be a number from 1 to 65535")
        if not port_is_free(int(wanted)):
            raise LaunchError(
                f"port {wanted} on {HOST} is taken by another program; name a free one in SPEECHMILL_PORT, "
                f"or leave it out and the next free one from {DEFAULT_PORT} is used"
            )
        return int(wanted)
    candidates = [last] if last else []
    candidates += range(DEFAULT_PORT, DEFAULT_PORT + PORTS_TO_TRY)
    for port in candidates:
        if port_is_free(port):
            return port
    raise LaunchError(f"no free port from {DEFAULT_PORT} to {DEFAULT_PORT + PORTS_TO_TRY - 1} on {HOST}")


def inner_port(last: int | None, taken: int) -> int:
    """A port that only our own processes ask: the last one used, or any free one but `taken`.

    Drawn by chance, not counted up from a number: two Airflows that start at once would both find the same one free, for it
    is listened to seconds later only. Below the ports that the system gives to outgoing connections.
    """
    while not last or last == taken or not port_is_free(last):
        last = INNER_PORTS[secrets.randbelow(len(INNER_PORTS))]
    return last


class Api:
    """A few calls to the REST interface of the own Airflow (no proxy, loopback only)."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._token = ""

    def get(self, path: str) -> Any:
        """The JSON answer to a GET; OSError when nobody answers, LaunchError on an error status."""
        return self._request("GET", path, None)

    def log_in(self, user: str, password: str) -> None:
        """Use this user's token from now on."""
        answer = self._request("POST", "/auth/token", {"username": user, "password": password})
        self._token = answer["access_token"]

    def _request(self, method: str, path: str, body: Any) -> Any:
        connection = http.client.HTTPConnection(HOST, self._port, timeout=15)
        headers = {"Content-Type": "application/json"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        try:
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            response = connection.getresponse()
            content = response.read()
        except http.client.HTTPException as error:
            raise OSError(f"no proper answer from port {self._port}: {error!r}") from error
        finally:
            connection.close()
        if response.status >= 400:
            raise LaunchError(f"{method} {path} on port {self._port} answers {response.status}")
        return json.loads(content)
