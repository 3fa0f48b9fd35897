"""`[notices]` of the store's settings.toml: who is told what, and how.

    [notices]
    webhook = "https://chat.example/hook"    # gets a JSON object by POST: kind, title, text, link, when
    smtp = "127.0.0.1:25"                    # a mail server that takes mail without a login
    from = "speechmill@example.org"
    to = ["eva@example.org"]
    kinds = ["failed", "refused", "late", "waiting"]    # default: all
    link = "http://127.0.0.1:8080"           # what links in notices begin with
    late_after_h = 192                       # a training that is not done so long after it began is late

Without the table nobody is told anything.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from store.errors import UsageError
from store.settings import read_table, refuse_unknown
from store.store import Store

KINDS = ("failed", "refused", "late", "waiting")
_KEYS = ("webhook", "smtp", "from", "to", "kinds", "link", "late_after_h")


@dataclass(frozen=True)
class Notices:
    """The settings. `smtp`: (host, port) or None; `late_after_h`: None = nothing is ever late."""

    webhook: str = ""
    smtp: tuple[str, int] | None = None
    sender: str = ""
    to: tuple[str, ...] = ()
    kinds: tuple[str, ...] = KINDS
    link: str = ""
    late_after_h: float | None = None
    where: str = field(default="", compare=False)

    @property
    def are_wanted(self) -> bool:
        """Whether anybody is to be told anything."""
        return bool(self.webhook or self.smtp)


def read_notices(store: Store) -> Notices:
    """The store's settings.

    Raises:
        UsageError: an unknown key, a wrong type, or half of what mail needs; names it.
    """
    path = store.settings_path
    table: dict[str, Any] = read_table(path, "notices")
    refuse_unknown(table, _KEYS, f"{path}: [notices] has an unknown key")
    where = f"{path}: [notices]"
    webhook, link = _text(table, "webhook", where), _text(table, "link", where)
    if webhook and urlsplit(webhook).scheme not in ("http", "https"):
        raise UsageError(
            f"{where} webhook is an address that begins with http:// or https://, not {webhook!r}"
        )
    smtp, to = _server(_text(table, "smtp", where), where), _list(table, "to", where)
    sender = _text(table, "from", where)
    if smtp and not (sender and to):
        raise UsageError(f'{where} smtp needs from = "…" and to = ["…"] too')
    kinds = _list(table, "kinds", where) if "kinds" in table else KINDS
    refuse_unknown(kinds, KINDS, f"{where} kinds has an unknown kind")
    late = table.get("late_after_h")
    if late is not None and (isinstance(late, bool) or not isinstance(late, int | float) or late <= 0):
        raise UsageError(f"{where} late_after_h is a number of hours above 0, not {late!r}")
    return Notices(webhook, smtp, sender, to, kinds, link.rstrip("/"), late, where)


def _text(table: dict[str, Any], key: str, where: str) -> str:
    value = table.get(key, "")
    if not isinstance(value, str) or any(ord(sign) < 32 for sign in value):
        raise UsageError(f"{where} {key} is a text on one line, not {value!r}")
    return value


def _list(table: dict[str, Any], key: str, where: str) -> tuple[str, ...]:
    value = table.get(key, [])
    if not isinstance(value, list) or not all(isinstance(one, str) and "\n" not in one for one in value):
        raise UsageError(f"{where} {key} is a list of texts, not {value!r}")
    return tuple(value)


def _server(text: str, where: str) -> tuple[str, int] | None:
    if not text:
        return None
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit():
        raise UsageError(f"{where} smtp is HOST:PORT, for example 127.0.0.1:25, not {text!r}")
    return host, int(port)
