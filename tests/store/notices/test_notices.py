"""Notices reach a webhook and a mail server that run here; none is lost while they are down, none comes twice."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from store.errors import UsageError
from store.notices.sending import Notice, deliver, post, tell
from store.notices.settings import KINDS, read_notices
from store.opening import open_store
from store.store import Store

REFUSED = Notice(
    "refused", "corpus_refresh was refused", "town: the gate refused\nit <b>", "run 1", "/dags/x"
)


@pytest.fixture
def hook() -> Iterator[tuple[str, list[Any]]]:
    """A web server that keeps what it is sent."""
    heard: list[Any] = []

    class Keep(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            heard.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *arguments: Any) -> None:
            """Quiet."""

    server = HTTPServer(("127.0.0.1", 0), Keep)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/hook", heard
    server.shutdown()
    server.server_close()


@pytest.fixture
def post_office() -> Iterator[tuple[int, list[str]]]:
    """A mail server that keeps what it is sent: as much of SMTP as a client without a login speaks."""
    letters: list[str] = []
    listening = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                client, _ = listening.accept()
            except OSError:
                return
            with client, client.makefile("rwb") as stream:
                stream.write(b"220 here\r\n")
                stream.flush()
                while line := stream.readline():
                    word = line.split()[0].upper() if line.split() else b""
                    if word == b"DATA":
                        stream.write(b"354 go on\r\n")
                        stream.flush()
                        letter = b""
                        while not letter.endswith(b"\r\n.\r\n"):
                            letter += stream.readline()
                        letters.append(letter.decode())
                    stream.write(b"221 bye\r\n" if word == b"QUIT" else b"250 fine\r\n")
                    stream.flush()
                    if word == b"QUIT":
                        break

    threading.Thread(target=serve, daemon=True).start()
    yield listening.getsockname()[1], letters
    listening.close()


def settings(store: Store, *lines: str) -> None:
    store.settings_path.write_text("\n".join(["[notices]", *lines]) + "\n")


def test_nobody_is_told_without_settings(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    assert not post(store, REFUSED)
    assert deliver(store) == 0


def test_a_notice_comes_by_webhook_and_mail_once(
    tmp_path: Path, hook: tuple[str, list[Any]], post_office: tuple[int, list[str]], monkeypatch: Any
) -> None:
    monkeypatch.setenv("SPEECHMILL_STORE", str(tmp_path))
    store = open_store(tmp_path)
    mail = f'smtp = "127.0.0.1:{post_office[0]}"', 'from = "mill@example.org"', 'to = ["eva@example.org"]'
    settings(store, f'webhook = "{hook[0]}"', *mail, 'link = "http://here"')
    tell(REFUSED, wait=True)
    tell(REFUSED, wait=True)
    (said,) = hook[1]
    assert (said["kind"], said["text"], said["link"]) == ("refused", REFUSED.text, "http://here/dags/x")
    (letter,) = post_office[1]
    assert "Subject: speechmill: corpus_refresh was refused" in letter
    assert "http://here/dags/x" in letter and "eva@example.org" in letter


def test_what_is_not_taken_waits_and_the_other_receiver_hears_it_once(
    tmp_path: Path, hook: tuple[str, list[Any]], post_office: tuple[int, list[str]]
) -> None:
    store = open_store(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as probe:
        closed = probe.getsockname()[1]
    mail = 'from = "mill@example.org"', 'to = ["eva@example.org"]'
    settings(store, f'webhook = "{hook[0]}"', f'smtp = "127.0.0.1:{closed}"', *mail)
    assert post(store, REFUSED)
    assert deliver(store) == 0
    assert (len(hook[1]), post_office[1]) == (1, [])
    settings(store, f'webhook = "{hook[0]}"', f'smtp = "127.0.0.1:{post_office[0]}"', *mail)
    assert deliver(store) == 1
    assert (len(hook[1]), len(post_office[1])) == (1, 1)
    assert list((tmp_path / "notices/outbox").glob("*")) == []


def test_only_the_kinds_that_are_wanted(tmp_path: Path, hook: tuple[str, list[Any]]) -> None:
    store = open_store(tmp_path)
    settings(store, f'webhook = "{hook[0]}"', 'kinds = ["late", "waiting"]')
    assert not post(store, REFUSED)
    assert post(store, Notice("late", "a training is late", "run x", "x"))


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ('webhok = "x"', "did you mean 'webhook'"),
        ('webhook = "ftp://x"', "begins with http"),
        ('smtp = "127.0.0.1"', "HOST:PORT"),
        ('smtp = "127.0.0.1:25"', "needs from"),
        ('kinds = ["everything"]', "unknown kind"),
        ("late_after_h = -1", "above 0"),
        ('webhook = "http://x\\u000dy"', "on one line"),
    ],
)
def test_settings_that_cannot_be_are_refused_in_a_sentence(tmp_path: Path, line: str, sentence: str) -> None:
    store = open_store(tmp_path)
    settings(store, line)
    with pytest.raises(UsageError, match=sentence):
        read_notices(store)
    assert KINDS == ("failed", "refused", "late", "waiting")
