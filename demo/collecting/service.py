"""The service as a process of its own on a free port, and volunteers who call it as the pages do, without a browser."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from native.errors import SpeechmillError

_ROOT = Path(__file__).resolve().parents[2]
_START_LIMIT_S = 60.0
PIECE_BYTES = 65_536


class ServiceError(SpeechmillError):
    """The service does not start, or does not answer as it should; holds what it said."""


@dataclass
class Service:
    """One service: folder of its data, the store it publishes into, the network that doubts."""

    folder: Path
    store: Path
    model: Path | None = None
    database: str = ""
    port: int = 0
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        """For its commands."""
        found = {**os.environ, "SPEECHMILL_COLLECT": str(self.folder), "SPEECHMILL_STORE": str(self.store)}
        for name in ("SPEECHMILL_COLLECT_MODEL", "SPEECHMILL_COLLECT_DB"):
            found.pop(name, None)
        if self.model is not None:
            found["SPEECHMILL_COLLECT_MODEL"] = str(self.model)
        if self.database:
            found["SPEECHMILL_COLLECT_DB"] = self.database
        return found

    def command(self, *arguments: str, given: str = "") -> str:
        """The standard output of `python -m collect …`.

        Raises:
            ServiceError: it ended with another status than 0.
        """
        done = subprocess.run(
            [sys.executable, "-m", "collect", *arguments],
            input=given, capture_output=True, text=True, env=self.environment, cwd=_ROOT, check=False,
        )  # fmt: skip
        if done.returncode != 0:
            raise ServiceError(
                f"collect {' '.join(arguments)} ended with {done.returncode}: {done.stderr.strip()}"
            )
        return done.stdout

    def start(self) -> float:
        """Start and wait until it answers; answers after how many seconds it did.

        Raises:
            ServiceError: it did not in time.
        """
        if not self.port:
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                self.port = probe.getsockname()[1]
        self.folder.mkdir(parents=True, exist_ok=True)
        began_s = time.monotonic()
        with (self.folder / "server.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "collect", "serve", "--port", str(self.port)],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self.environment, cwd=_ROOT,
            )  # fmt: skip
        while time.monotonic() - began_s < _START_LIMIT_S:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=5):
                return time.monotonic() - began_s
            if self.process.poll() is not None:
                break
            time.sleep(0.02)
        raise ServiceError(f"the service does not start: {(self.folder / 'server.log').read_text()[-2000:]}")

    def stop(self, kill: bool = False) -> None:
        """End it; `kill` without a warning."""
        if self.process is not None:
            self.process.kill() if kill else self.process.terminate()
            self.process.wait()
            self.process = None


@contextlib.contextmanager
def running(service: Service) -> Iterator[Service]:
    """The service while the block lasts."""
    service.start()
    try:
        yield service
    finally:
        service.stop()


class Caller:
    """A volunteer without a browser: the same calls, cookies and tokens. Calls wait while the service is away."""

    def __init__(self, url: str, campaign: str, patience_s: float = 0.0) -> None:
        self.base, self.campaign, self.patience_s = url, campaign, patience_s
        self.client = httpx.Client(base_url=url, trust_env=False, timeout=60, follow_redirects=False)
        self.csrf = ""
        self.seconds: list[tuple[str, float]] = []  # of every call: its kind and how long it took

    def request(self, kind: str, method: str, path: str, **more: Any) -> httpx.Response:
        """One call, again and again for `patience_s` while nobody answers or the service asks to wait."""
        end_s = time.monotonic() + self.patience_s
        while True:
            began_s = time.monotonic()
            try:
                answer = self.client.request(method, path, **more)
            except httpx.TransportError:
                if time.monotonic() > end_s:
                    raise
                time.sleep(0.05)
                continue
            self.seconds.append((kind, time.monotonic() - began_s))
            if answer.status_code in (429, 507, 500) and time.monotonic() < end_s:
                time.sleep(0.2)
                continue
            return answer

    def open(self, path: str) -> httpx.Response:
        """A page, whose token the next calls carry."""
        answer = self.request(f"page {path.rsplit('/', 1)[-1]}", "GET", path)
        found = re.search(r'(?:name="csrf" value="|"csrf": ")([0-9a-f]{64})"', answer.text)
        self.csrf = found.group(1) if found else self.csrf
        return answer

    def join(self) -> None:
        """Agree and become a voice.

        Raises:
            ServiceError: the campaign does not take anybody in.
        """
        page = self.open(f"/c/{self.campaign}")
        text = re.search(r'name="text_id" value="(\d+)"', page.text)
        form = {"csrf": self.csrf, "text_id": text.group(1) if text else "", "agree": "yes", "secret": ""}
        answer = self.request("join", "POST", f"/c/{self.campaign}/join", data=form)
        if answer.status_code != 303:
            raise ServiceError(f"joining {self.campaign} answers {answer.status_code}: {answer.text[:300]}")
        self.open(f"/c/{self.campaign}/speak")

    def call(self, kind: str, method: str, path: str, **more: Any) -> httpx.Response:
        """A call of the campaign's interface."""
        headers = {"x-csrf-token": self.csrf, **more.pop("headers", {})}
        return self.request(kind, method, f"/api/c/{self.campaign}{path}", headers=headers, **more)

    def tasks(self, count: int = 5) -> list[dict[str, Any]]:
        """Sentences to read."""
        return list(self.call("tasks", "POST", f"/tasks?count={count}").json()["sentences"])

    def send(self, sentence: int, data: bytes, take: str | None = None) -> tuple[str, httpx.Response]:
        """Upload a recording, going on where an interrupted try stopped; answers its id and the last answer."""
        take = take or str(uuid.uuid4())
        there = int(self.call("offset", "GET", f"/takes/{take}").json()["bytes"])
        while there < len(data):
            piece = data[there : there + PIECE_BYTES]
            kind = {"content-type": "application/octet-stream"}
            answer = self.call("piece", "PATCH", f"/takes/{take}?offset={there}", content=piece, headers=kind)
            if answer.status_code != 200:
                return take, answer
            there = int(answer.json()["bytes"])
        said = {"sentence": sentence, "sha256": hashlib.sha256(data).hexdigest()}
        return take, self.call("finish", "POST", f"/takes/{take}/finish", json=said)

    def to_judge(self, count: int = 5) -> list[dict[str, Any]]:
        """Clips to hear."""
        return list(self.call("clips", "GET", f"/clips?count={count}").json()["clips"])

    def hear(self, clip: str) -> bytes:
        """The sound of a clip."""
        return self.call("sound", "GET", f"/clips/{clip}/sound").content

    def vote(self, clip: str, yes: bool, reason: str = "") -> httpx.Response:
        """Judge a clip."""
        return self.call("vote", "POST", f"/clips/{clip}/votes", json={"yes": yes, "reason": reason})

    def close(self) -> None:
        """Leave."""
        self.client.close()
