#!/usr/bin/env python3
"""Executes docs/team-server.md, block by block, on a Debian 12 that may be thrown away, and uses what it made.

    SPEECHMILL_THROW_AWAY=1 python3 scripts/team_server_check.py

As root, from a clone. It installs packages, adds a user, makes databases, restores a backup over them. Between the
sections it does what people do: log in through nginx, start a refresh, be refused as a reader, look whether everything is
there after the restore and after the upgrade. Needs nothing but Python; where no systemd runs, scripts/systemctl_stand_in.py
takes its place (then timers, restarts and confinement are not tested).
"""

from __future__ import annotations

import http.client
import json
import os
import re
import shutil
import ssl
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
GUIDE = ROOT / "docs" / "team-server.md"
HOME = Path("/srv/speechmill/main")
LIMIT_S = 300.0
NAMES = ("speech.example.org", "voices.example.org")
ARCHIVE = """
from pathlib import Path
from demo.layouts import librispeech, tones
librispeech.write(Path("/srv/archives"), tones.utterances())
"""


def say(text: str) -> None:
    """Progress."""
    print(f"==> {text}", flush=True)


def sections() -> list[tuple[str, list[str]]]:
    """(heading, blocks to execute) of the guide, in order."""
    found = []
    for part in re.split(r"^## ", GUIDE.read_text("utf-8"), flags=re.MULTILINE)[1:]:
        blocks = re.findall(r"^```sh\n(.*?)^```", part, flags=re.MULTILINE | re.DOTALL)
        found.append((part.partition("\n")[0], blocks))
    return found


def execute(block: str) -> None:
    """One block, as a person would paste it; the script ends where it fails."""
    block = block.replace("git clone <this repository>", f"git clone -q {ROOT}")
    done = subprocess.run(["bash", "-euo", "pipefail", "-c", block], cwd="/", check=False)
    if done.returncode != 0:
        sys.exit(f"failed with status {done.returncode}:\n{block}")


class Visitor:
    """Somebody who reaches Airflow through nginx."""

    def __init__(self, name: str) -> None:
        passwords = json.loads((HOME / "var/airflow/secrets/passwords.json").read_text())
        self.token = ""
        answer = self.call("POST", "/auth/token", {"username": name, "password": passwords[name]})
        self.token = answer[1]["access_token"]

    def call(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """Status and JSON of an answer."""
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        connection = http.client.HTTPSConnection("127.0.0.1", 443, timeout=60, context=context)
        headers = {"Host": NAMES[0], "Content-Type": "application/json"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        connection.request(method, path, None if body is None else json.dumps(body), headers)
        response = connection.getresponse()
        data = response.read()
        connection.close()
        try:
            return response.status, json.loads(data)
        except ValueError:
            return response.status, data.decode("utf-8", "replace")


def usable() -> None:
    """Wait until Airflow is."""
    end_s = time.monotonic() + LIMIT_S
    told = ""
    while time.monotonic() < end_s:
        done = subprocess.run(
            ["runuser", "-u", "speechmill", "--", "/usr/local/bin/speechmill-do", "launcher", "status", "--json"],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        told = done.stdout + done.stderr
        if done.returncode == 0 and json.loads(done.stdout)["healthy"]:
            return
        time.sleep(2)
    sys.exit(f"Airflow is not usable: {told}")


def wanted(what: str, holds: bool, detail: Any = "") -> None:
    """End here unless it holds."""
    if not holds:
        sys.exit(f"not so: {what}\n{detail}")
    say(f"  {what}")


def certificates() -> None:
    """A certificate of one day where the configurations of the docs look for theirs."""
    for name in NAMES:
        folder = Path("/etc/ssl") / name
        folder.mkdir(exist_ok=True)
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", f"/CN={name}",
             "-keyout", folder / "privkey.pem", "-out", folder / "fullchain.pem"],
            capture_output=True, check=True,
        )  # fmt: skip


def use_it() -> str:
    """What people do on the first day; answers the refresh's run."""
    subprocess.run([HOME / ".venv/bin/python", "-c", ARCHIVE], cwd=HOME, check=True)
    reader, operator = Visitor("cleo"), Visitor("bert")
    conf = {"importer": "librispeech", "sources": ["/srv/archives/LibriSpeech"]}
    body = {"logical_date": None, "conf": conf}
    status, told = reader.call("POST", "/api/v2/dags/corpus_refresh/dagRuns", body)
    wanted("a reader may not start a refresh", status == 403, told)
    status, told = reader.call("GET", "/speech/")
    wanted("a reader sees the speech pages", status == 200, told)
    status, told = reader.call("GET", "/execution/health")
    wanted("nobody reaches the interface of tasks through nginx", status == 404, told)
    status, told = operator.call("PATCH", "/api/v2/dags/corpus_refresh", {"is_paused": False})
    wanted("an operator may", status == 200, told)
    status, told = operator.call("POST", "/api/v2/dags/corpus_refresh/dagRuns", body)
    wanted("and starts a refresh", status == 200, told)
    run = str(told["dag_run_id"])
    end_s = time.monotonic() + LIMIT_S
    state = ""
    while time.monotonic() < end_s and state not in ("success", "failed"):
        time.sleep(2)
        state = operator.call("GET", f"/api/v2/dags/corpus_refresh/dagRuns/{run}")[1]["state"]
    wanted(
        "which publishes the corpus",
        state == "success" and Path("/srv/store/corpora/librispeech/current").exists(),
    )
    return run


def still_there(run: str) -> None:
    """Runs, people and corpora after something that might have lost them."""
    usable()
    status, told = Visitor("cleo").call("GET", f"/api/v2/dags/corpus_refresh/dagRuns/{run}")
    wanted("the run is there", status == 200 and told["state"] == "success", told)
    manifest = Path("/srv/store/corpora/librispeech/current/manifest.json")
    wanted("the corpus is there", json.loads(manifest.read_text())["corpus"] == "librispeech")


def main() -> int:
    """All of it."""
    if (
        os.geteuid() != 0
        or os.environ.get("SPEECHMILL_THROW_AWAY") != "1"
        or Path("/srv/speechmill").exists()
    ):
        sys.exit(
            "only as root, on a Debian 12 that may be thrown away (SPEECHMILL_THROW_AWAY=1), and only once"
        )
    if not Path("/run/systemd/system").is_dir():
        say("no systemd runs here: scripts/systemctl_stand_in.py takes its place")
        shutil.copy(ROOT / "scripts/systemctl_stand_in.py", "/usr/local/bin/systemctl")
        Path("/usr/local/bin/systemctl").chmod(0o755)
    # The origin of the clone is a folder of root's here, which git would not read for somebody else.
    subprocess.run(["git", "config", "--system", "--add", "safe.directory", "*"], check=True)
    began_s, run = time.monotonic(), ""
    for heading, blocks in sections():
        if not blocks:
            continue
        say(heading)
        if heading.startswith("5."):
            certificates()
        for block in blocks:
            execute(block)
        if heading.startswith("5."):
            usable()
            run = use_it()
        elif heading.startswith(("7.", "8.")):
            still_there(run)
    say(f"docs/team-server.md holds, {(time.monotonic() - began_s) / 60:.0f} minutes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
