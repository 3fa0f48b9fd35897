"""Downloads from a local server that breaks connections, lies about lengths, ignores ranges and serves HTML."""

from __future__ import annotations

import gzip
import hashlib
import json
import random
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from corpora import __main__ as command_line
from corpora import free_archives as table
from corpora.download import Client, download
from corpora.errors import SourceError
from corpora.free_archives import FREE_ARCHIVES, FreeArchive, free_archives
from store.errors import StoreError, UsageError

BODY = gzip.compress(random.Random(3).randbytes(300_000), mtime=0)
SHA256 = "sha256:" + hashlib.sha256(BODY).hexdigest()


class _Server(ThreadingHTTPServer):
    """Serves BODY the way `manner` says and remembers the ranges it was asked for."""

    daemon_threads = True
    manner = "well"
    body = BODY
    etag = '"one"'

    def __init__(self) -> None:
        self.ranges: list[str | None] = []
        super().__init__(("127.0.0.1", 0), _Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/part.tar.gz"


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def log_message(self, format: str, *args: Any) -> None:
        """Silence."""

    def do_GET(self) -> None:
        """One answer."""
        server, asked = self.server, self.headers.get("Range")
        server.ranges.append(asked)
        count = len(server.ranges)
        if server.manner == "html":
            return self._send(
                200, b"<html><title>Sign in</title><script>x()</script><p>Please log in</p></html>"
            )
        if server.manner == "missing":
            return self._send(404, b"<html><body>No such file here</body></html>")
        if server.manner == "troubled" and count < 3:
            return self._send(503, b"later")
        begin = 0
        if (
            asked
            and server.manner != "ignores ranges"
            and self.headers.get("If-Range", server.etag) == server.etag
        ):
            begin = int(asked.removeprefix("bytes=").removesuffix("-"))
        if begin and begin >= len(server.body):
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{len(server.body)}")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return None
        data = server.body[begin:]
        cut = len(data)
        if server.manner in ("breaks", "ignores ranges") and count < 4:
            cut = min(cut, 40_000 * count)
        if server.manner == "always breaks":
            cut = 0
        return self._send(206 if begin else 200, data, begin, cut)

    def _send(self, status: int, data: bytes, begin: int = 0, cut: int | None = None) -> None:
        self.send_response(status)
        lie = -1000 if self.server.manner == "lies short" else 0
        self.send_header("Content-Length", str(len(data) + lie))
        self.send_header("ETag", self.server.etag)
        if status == 206:
            end, whole = begin + len(data) - 1, begin + len(data)
            self.send_header("Content-Range", f"bytes {begin}-{end}/{whole}")
        self.end_headers()
        self.wfile.write(data[: len(data) + lie if cut is None else min(cut, len(data) + lie)])
        self.close_connection = True


@pytest.fixture
def server() -> Iterator[_Server]:
    """A running server."""
    running = _Server()
    thread = threading.Thread(target=running.serve_forever, daemon=True)
    thread.start()
    yield running
    running.shutdown()
    running.server_close()
    thread.join()


@pytest.fixture
def client() -> Iterator[Client]:
    """A client that does not wait long."""
    with httpx.Client(timeout=20, trust_env=False) as http:
        yield Client(http, pause_s=0.01)


def _archive(server: _Server, digest: str | None = SHA256) -> FreeArchive:
    return FreeArchive("part", server.url, digest, None)


def _left(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_whole_archive_arrives_and_is_verified(server: _Server, client: Client, tmp_path: Path) -> None:
    fetched = download(_archive(server), tmp_path, client)
    assert (tmp_path / "part.tar.gz").read_bytes() == BODY
    assert (fetched.status, fetched.digest, fetched.verified_by) == (
        "downloaded",
        SHA256,
        "published checksum",
    )
    assert _left(tmp_path) == ["part.tar.gz"]
    assert download(_archive(server), tmp_path, client).status == "present"
    assert len(server.ranges) == 1, "what is there and right is not asked for again"


def test_broken_connections_are_taken_up_where_they_ended(
    server: _Server, client: Client, tmp_path: Path
) -> None:
    server.manner = "breaks"
    download(_archive(server), tmp_path, client)
    assert (tmp_path / "part.tar.gz").read_bytes() == BODY
    assert server.ranges == [None, "bytes=40000-", "bytes=120000-", "bytes=240000-"]


def test_a_server_without_ranges_sends_all_again(server: _Server, client: Client, tmp_path: Path) -> None:
    server.manner = "ignores ranges"
    assert download(_archive(server), tmp_path, client).digest == SHA256


def test_a_file_that_changed_meanwhile_is_not_glued(server: _Server, client: Client, tmp_path: Path) -> None:
    (tmp_path / "part.tar.gz.part").write_bytes(gzip.compress(b"another file", mtime=0) * 10)
    (tmp_path / "part.tar.gz.part.etag").write_text('"zero"')
    assert download(_archive(server), tmp_path, client).digest == SHA256
    assert server.ranges == ["bytes=320-"]


def test_a_complete_partial_file_is_only_verified(server: _Server, client: Client, tmp_path: Path) -> None:
    (tmp_path / "part.tar.gz.part").write_bytes(BODY)
    assert download(_archive(server), tmp_path, client).status == "resumed"
    assert _left(tmp_path) == ["part.tar.gz"]


def test_a_troubled_server_is_asked_again(server: _Server, client: Client, tmp_path: Path) -> None:
    server.manner = "troubled"
    assert download(_archive(server), tmp_path, client).digest == SHA256


def test_a_server_that_never_delivers_ends_in_a_sentence(
    server: _Server, client: Client, tmp_path: Path
) -> None:
    server.manner = "always breaks"
    (tmp_path / "part.tar.gz.part").write_bytes(BODY[:5000])
    with pytest.raises(SourceError, match=r"keeps what came \(5000 bytes\): check the network"):
        download(_archive(server), tmp_path, client)
    assert (tmp_path / "part.tar.gz.part").read_bytes() == BODY[:5000]


def test_a_wrong_checksum_is_refused_with_both_sums(server: _Server, client: Client, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=f"expected md5:{'0' * 32}, found md5:"):
        download(_archive(server, "md5:" + "0" * 32), tmp_path, client)
    assert _left(tmp_path) == []


@pytest.mark.parametrize("digest", [SHA256, None], ids=["published sum", "own CRC"])
def test_a_length_that_lies_is_found(
    server: _Server, client: Client, tmp_path: Path, digest: str | None
) -> None:
    server.manner = "lies short"
    with pytest.raises(SourceError, match="arrived whole by the server's count"):
        download(_archive(server, digest), tmp_path, client)
    assert _left(tmp_path) == []


def test_html_is_no_archive(server: _Server, client: Client, tmp_path: Path) -> None:
    server.manner = "html"
    with pytest.raises(SourceError, match="is no gzip archive: it begins with 'Sign in Please log in'"):
        download(_archive(server), tmp_path, client)
    assert not (tmp_path / "part.tar.gz").exists()


def test_a_missing_file_quotes_the_server(server: _Server, client: Client, tmp_path: Path) -> None:
    server.manner = "missing"
    with pytest.raises(SourceError, match="status 404, the server says 'No such file here'"):
        download(_archive(server), tmp_path, client)


def test_without_a_published_sum_the_archives_crc_decides(
    server: _Server, client: Client, tmp_path: Path
) -> None:
    assert "own CRC" in download(_archive(server, None), tmp_path, client).verified_by
    (tmp_path / "part.tar.gz").unlink()
    server.body = BODY[:1000] + bytes([BODY[1000] ^ 1]) + BODY[1001:]
    with pytest.raises(SourceError, match="the gzip stream is damaged"):
        download(_archive(server, None), tmp_path, client)


def test_another_file_under_the_final_name_is_not_overwritten(
    server: _Server, client: Client, tmp_path: Path
) -> None:
    (tmp_path / "part.tar.gz").write_bytes(b"mine")
    with pytest.raises(SourceError, match="is there but is not part"):
        download(_archive(server), tmp_path, client)
    assert (tmp_path / "part.tar.gz").read_bytes() == b"mine"


def test_too_little_room_is_said_before_anything_is_written(
    server: _Server, client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = type("Usage", (), {"free": 1000})()
    monkeypatch.setattr("corpora.download.shutil.disk_usage", lambda path: usage)
    with pytest.raises(StoreError, match=r"needs 0\.00 GB more but"):
        download(_archive(server), tmp_path, client)


def test_the_table_names_every_published_part() -> None:
    for importer, archives in FREE_ARCHIVES.items():
        for archive in archives:
            assert free_archives(importer, [archive.part]) == (archive,)
            kind, _, value = (archive.digest or "md5:" + "0" * 32).partition(":")
            assert len(value) == {"md5": 32, "sha256": 64}[kind]
    with pytest.raises(UsageError, match=r"no part dev-dirty; there are: dev-clean \(0\.3 GB\)"):
        free_archives("librispeech", ["dev-dirty"])
    with pytest.raises(UsageError, match="free to download are librispeech, tedlium"):
        free_archives("fisher", ["all"])


def test_the_command_fetches_parts_and_tells(
    server: _Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(
        table, "FREE_ARCHIVES", {"librispeech": (replace(_archive(server), part="dev-clean"),)}
    )
    arguments = ["download", "librispeech", "--parts", "dev-clean", "--to", str(tmp_path / "new"), "--json"]
    assert command_line.main(arguments) == 0
    told = json.loads(capsys.readouterr().out)
    assert [entry["part"] for entry in told["archives"]] == ["dev-clean"]
    assert told["bytes"] == len(BODY)
    assert command_line.main(["download", "librispeech", "--parts", "--to", str(tmp_path)]) == 2
    server.manner = "html"
    assert command_line.main([*arguments[:-2], str(tmp_path / "other")]) == 2
    assert "is no gzip archive" in capsys.readouterr().err
