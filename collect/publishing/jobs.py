"""Publications in processes of their own, begun by the page or by the campaign's schedule.

The server stays small: `python -m collect publish` does the work and writes what came of it beside the database.
"""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from collect.database.engine import Database
from collect.database.tables import Campaign, Clip, Withdrawn
from collect.settings import Settings
from store.writing import is_running, write_json_atomic

_log = logging.getLogger(__name__)
_ROOT = Path(__file__).resolve().parents[2]
_EVERY_S = 5.0


def _state_path(settings: Settings, name: str) -> Path:
    return settings.folder / "publications" / f"{name}.json"


def publication_state(settings: Settings, name: str) -> dict[str, Any]:
    """state: none | running | done | failed; `said` is the last sentence or answer."""
    path = _state_path(settings, name)
    if not path.is_file():
        return {"state": "none", "said": "", "at_s": 0.0}
    found: dict[str, Any] = json.loads(path.read_bytes())
    if found["state"] == "running" and not is_running(found["pid"]):
        found = {**found, "state": "failed", "said": "it was stopped before it was done: publish again"}
    return found


def note_publication(settings: Settings, name: str, state: str, said: str) -> None:
    """Write how a publication stands."""
    value = {"state": state, "said": said, "at_s": time.time(), "pid": os.getpid()}
    write_json_atomic(_state_path(settings, name), value)


def start_publication(settings: Settings, name: str) -> bool:
    """Begin a publication unless one runs; answers whether one was begun."""
    if publication_state(settings, name)["state"] == "running":
        return False
    path = _state_path(settings, name).with_suffix(".log")
    path.parent.mkdir(parents=True, exist_ok=True)
    environment = {
        **os.environ,
        "SPEECHMILL_COLLECT": str(settings.folder),
        "SPEECHMILL_COLLECT_DB": settings.database_url,
        **({"SPEECHMILL_STORE": str(settings.store)} if settings.store else {}),
    }
    with path.open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "collect", "publish", name, "--json"],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=_ROOT, env=environment,
        )  # fmt: skip
    value = {"state": "running", "said": "", "at_s": time.time(), "pid": process.pid}
    write_json_atomic(_state_path(settings, name), value)
    threading.Thread(target=process.wait, daemon=True).start()
    return True


def is_due(database: Database, campaign: Campaign, now_s: float) -> bool:
    """Whether a campaign with a schedule has something new and its time has come."""
    since_s = campaign.published_at_s or 0.0
    if campaign.publish_every_s is None or now_s - since_s < campaign.publish_every_s:
        return False
    with database.reading() as session:
        decided = select(func.count()).where(Clip.campaign_id == campaign.id, Clip.decided_at_s > since_s)
        gone = select(func.count()).where(
            Withdrawn.campaign_id == campaign.id, Withdrawn.withdrawn_at_s > since_s
        )
        return bool(session.scalar(decided)) or bool(session.scalar(gone))


class Schedule:
    """Looks now and then which campaigns are to be published by themselves."""

    def __init__(self, settings: Settings, database: Database) -> None:
        self._settings, self._database = settings, database
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True, name="publications")

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self) -> None:
        """Stop looking."""
        self._stop.set()

    def _run(self) -> None:
        while not self._stop.wait(_EVERY_S):
            try:
                self.look()
            except Exception:
                _log.exception("the schedule of publications failed and goes on")

    def look(self) -> list[str]:
        """Begin what is due; answers the campaigns."""
        with self._database.reading() as session:
            query = select(Campaign).where(Campaign.publish_every_s.is_not(None))
            found = list(session.scalars(query))
        due = [one.name for one in found if is_due(self._database, one, time.time())]
        return [name for name in due if start_publication(self._settings, name)]
