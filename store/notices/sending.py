"""A notice is kept before it is sent, so that none is lost when a receiver or this process is down.

    notices/outbox/<id>.json   waits; a second notice of the same id is the same notice
    notices/sent/<id>.json     was taken by every receiver

`post` keeps it, `deliver` sends all that wait; whoever posts delivers too, and so does whoever comes next.
"""

from __future__ import annotations

import hashlib
import json
import logging
import smtplib
import threading
import urllib.request
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path

from store.notices.settings import Notices, read_notices
from store.opening import open_store
from store.store import Store
from store.writing import read_json, write_json_atomic

TIMEOUT_S = 10.0
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Notice:
    """What a person is told. `kind`: see `settings.KINDS`; `about`: what makes it the same notice; `path`: below `link`."""

    kind: str
    title: str
    text: str
    about: str
    path: str = "/"

    @property
    def id(self) -> str:
        """The same for the same thing."""
        return hashlib.sha256(f"{self.kind}\n{self.about}".encode()).hexdigest()[:24]


def tell(notice: Notice, wait: bool = False) -> None:
    """Keep a notice and send it, never raises.

    Args:
        wait: send it now; else a thread of its own does, for whoever must not wait for a receiver.
    """
    try:
        store = open_store()
        if not post(store, notice):
            return
        if wait:
            _deliver_quietly(store)
        else:
            threading.Thread(target=_deliver_quietly, args=(store,), name="notices", daemon=True).start()
    except Exception:
        _log.exception("nobody could be told: %s", notice.title)


def _deliver_quietly(store: Store) -> None:
    try:
        deliver(store)
    except Exception:
        _log.exception("notices could not be sent; they wait in %s", _folder(store, "outbox"))


def post(store: Store, notice: Notice) -> bool:
    """Keep a notice to be sent; False where nobody wants it, or it was kept or sent before.

    Raises:
        UsageError: the settings cannot be read.
    """
    wanted = read_notices(store)
    name = f"{notice.id}.json"
    known = any((_folder(store, where) / name).exists() for where in ("outbox", "sent"))
    if not wanted.are_wanted or notice.kind not in wanted.kinds or known:
        return False
    when = datetime.now(UTC).isoformat(timespec="seconds")
    write_json_atomic(_folder(store, "outbox") / name, {**asdict(notice), "when": when, "told": []})
    return True


def deliver(store: Store) -> int:
    """Send what waits; answers how many every receiver took. What one refused waits for the next time.

    Raises:
        UsageError: the settings cannot be read. StoreError: a notice cannot be read or moved.
    """
    settings, done = read_notices(store), 0
    with store.lock("notices"):
        for path in sorted(_folder(store, "outbox").glob("*.json")):
            done += _send(path, settings, _folder(store, "sent") / path.name)
    return done


def _send(path: Path, settings: Notices, sent: Path) -> bool:
    kept = read_json(path)
    receivers: dict[str, Callable[[], None]] = {}
    link = f"{settings.link}{kept['path']}" if settings.link else ""
    if settings.webhook:
        receivers["webhook"] = lambda: _by_webhook(settings, kept, link)
    if settings.smtp:
        receivers["mail"] = lambda: _by_mail(settings, kept, link)
    for name, send in receivers.items():
        if name in kept["told"]:
            continue
        try:
            send()
        except (OSError, ValueError, smtplib.SMTPException) as error:
            _log.warning("%s %s did not take %r (%s); it waits", settings.where, name, kept["title"], error)
            continue
        kept["told"].append(name)
        write_json_atomic(path, kept)
    if set(receivers) - set(kept["told"]):
        return False
    write_json_atomic(sent, kept)
    path.unlink()
    return True


def _by_webhook(settings: Notices, kept: dict[str, str], link: str) -> None:
    said = {key: kept[key] for key in ("kind", "title", "text", "when")} | {"link": link}
    data = json.dumps(said, ensure_ascii=False).encode()
    headers = {"Content-Type": "application/json; charset=utf-8"}
    request = urllib.request.Request(settings.webhook, data, headers, method="POST")
    with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:
        answer.read(1)


def _by_mail(settings: Notices, kept: dict[str, str], link: str) -> None:
    if settings.smtp is None:
        return
    message = EmailMessage()
    message["From"], message["To"] = settings.sender, ", ".join(settings.to)
    message["Subject"] = " ".join(f"speechmill: {kept['title']}".split())[:200]
    message.set_content("\n\n".join(filter(None, [kept["text"], link])) + "\n")
    host, port = settings.smtp
    with smtplib.SMTP(host, port, timeout=TIMEOUT_S) as server:
        server.send_message(message)


def _folder(store: Store, where: str) -> Path:
    return store.root / "notices" / where
