"""200 hostile uploads, forms and calls: none gets through, none makes the service fail, all are answered in sentences."""

from __future__ import annotations

import hashlib
import io
import os
import struct
import subprocess
import time
import uuid
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from collect_sounds import RATE_HZ, voice, wav
from collect_visitors import Browser, Volunteer
from sqlalchemy import select

from collect.checks.decoding import Decoder
from collect.database.tables import Clip, Sentence, Vote
from collect.errors import RefusedSoundError

Join = Callable[[], Volunteer]
SCRIPT = "<script>alert(1)</script>"
PATHS = (
    "../../etc/passwd",
    "..\\..\\x",
    "/etc/passwd",
    "%2e%2e%2fetc",
    "a\x00b",
    "con",
    "." * 300,
    "~root",
    "${HOME}",
)
FORMULAS = ("=cmd|' /C calc'!A0", "+1+1", "@SUM(1)", "-2+3")
TURNED = ("abc\u202edef", "a\u2066b", "tab\x07bell", "nul\x00l")


def encoded(arguments: list[str], suffix: str) -> bytes:
    """What ffmpeg makes of its own test sources."""
    command = ["ffmpeg", "-v", "error", *arguments, "-f", suffix, "pipe:1"]
    return subprocess.run(command, capture_output=True, check=True).stdout


def uploads() -> Iterator[tuple[str, bytes]]:
    """Files that are no recording of a browser, or want to do harm."""
    good = wav(voice(1))
    yield "empty", b""
    yield "one byte", b"R"
    for name, head in {
        "exe": b"MZ", "elf": b"\x7fELF", "png": b"\x89PNG\r\n\x1a\n", "pdf": b"%PDF-1.7", "zip": b"PK\x03\x04",
        "gif": b"GIF89a", "html": b"<html><script>", "svg": b"<svg onload=alert(1)>", "flac": b"fLaC", "mp3": b"ID3",
        "gzip": b"\x1f\x8b", "bash": b"#!/bin/sh\nrm -rf /", "m3u8": b"#EXTM3U\nfile:///etc/passwd",
        "concat": b"ffconcat version 1.0\nfile /etc/passwd", "avi": b"RIFF\x00\x00\x00\x00AVI ",
        "webp": b"RIFF\x00\x00\x00\x00WEBP", "matroska": b"\x1a\x45\xdf\xa3" + b"\x00" * 20 + b"matroska",
        "theora": b"OggS" + b"\x00" * 24 + b"\x80theora", "speex": b"OggS" + b"\x00" * 24 + b"Speex   ",
    }.items():  # fmt: skip
        yield name, head + os.urandom(3000)
        yield f"{name}, then a recording", head + good
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as zipped:
        zipped.writestr("x", b"\0" * 10_000_000)
    yield "zip bomb", bomb.getvalue()
    for size in (0, 4, 0x7FFFFFFF, 0xFFFFFFFF):
        yield f"wav of {size} stated bytes", good[:40] + struct.pack("<I", size) + b""
        yield (
            f"wav chunk of {size}",
            b"RIFF" + struct.pack("<I", size) + b"WAVEfmt " + struct.pack("<I", size),
        )
    for rate in (0, 1, 0xFFFFFFFF):
        yield f"wav of {rate} Hz", good[:24] + struct.pack("<I", rate) + good[28:2000]
    for channels in (0, 255, 65535):
        yield f"wav of {channels} channels", good[:22] + struct.pack("<H", channels) + good[24:2000]
    for code in (2, 0x11, 0x55, 0xFFFE):
        yield f"wav of codec {code:#x}", good[:20] + struct.pack("<H", code) + good[22:2000]
    for seed in range(48):  # damage in the middle of true files
        rng = np.random.default_rng(seed)
        hurt = bytearray(WEBM if seed % 2 else OGG)
        for at in rng.integers(0, len(hurt), 40):
            hurt[at] = int(rng.integers(256))
        yield f"damaged {seed}", bytes(hurt[: len(hurt) // 3])
    for cut in (5, 40, 100, 500):
        yield f"webm of {cut} bytes", WEBM[:cut]
        yield f"ogg of {cut} bytes", OGG[:cut]
        yield f"mp4 of {cut} bytes", MP4[:cut]
    yield "a film", encoded(["-f", "lavfi", "-i", "testsrc=d=1:s=64x64", "-c:v", "libvpx"], "webm")
    yield "ten minutes of silence", LONG
    yield "mp4 of nothing but boxes", b"\x00\x00\x00\x08ftyp" + b"\x00\x00\x00\x08moov" * 5000
    yield "ogg with a cover", OGG + b"\x89PNG" + SCRIPT.encode()


OGG = encoded(["-f", "lavfi", "-i", "sine=d=2", "-c:a", "libopus"], "ogg")
WEBM = encoded(["-f", "lavfi", "-i", "sine=d=2", "-c:a", "libopus"], "webm")
LONG = encoded(["-f", "lavfi", "-i", "anullsrc=d=600", "-c:a", "libopus", "-b:a", "6k"], "ogg")
MP4 = encoded(
    ["-f", "lavfi", "-i", "sine=d=2", "-c:a", "aac", "-movflags", "frag_keyframe+empty_moov"], "mp4"
)


@pytest.mark.slow
def test_hostile_uploads_are_stopped_one_by_one(tmp_path: Path) -> None:
    decoder, through, count = Decoder(2, 20.0), [], 0
    from collect.checks.checks import Take, first_hit
    from collect.checks.figures import measure

    for name, data in uploads():
        path = tmp_path / "x.part"
        path.write_bytes(data)
        count += 1
        try:
            figures = measure(decoder.decode(path)).figures
        except RefusedSoundError:
            continue
        if first_hit(Take(figures, "the sailor sold ten small boats")) is None:
            through.append(name)
    print(f"\n{count} hostile uploads, {len(through)} through")
    assert count >= 100 and not through, (count, through)


def test_a_hostile_upload_leaves_nothing_behind(volunteer: Join, settings: Any, app: Any) -> None:
    anna = volunteer()
    sentence = anna.tasks(1)[0]["id"]
    for data in (OGG[:500], LONG, b"MZ" + os.urandom(500), b"", SCRIPT.encode()):
        answer = anna.send(sentence, data)
        assert answer.status_code in (404, 200), answer.text
        if answer.status_code == 200:
            assert answer.json()["state"] == "stopped" and answer.json()["sentence"]
    assert not list(settings.folder.glob("sound/**/*.flac"))
    assert not list(settings.folder.glob("uploads/*/*.part"))
    with app.state.services.database.reading() as session:
        assert session.scalar(select(Clip)) is None


def test_uploads_end_at_their_limits(volunteer: Join, app: Any) -> None:
    anna = volunteer()
    place = f"/api/c/harbour/takes/{uuid.uuid4()}"
    limits = app.state.services.settings.limits
    assert anna.call("PATCH", f"{place}?offset=0", content=b"x" * (limits.chunk_bytes + 1)).status_code == 413
    for at in range(8):
        assert anna.call("PATCH", f"{place}?offset={at << 20}", content=b"x" * (1 << 20)).status_code == 200
    assert anna.call("PATCH", f"{place}?offset={8 << 20}", content=b"x").status_code == 413
    for _ in range(limits.open_uploads_per_voice):
        last = anna.call("PATCH", f"/api/c/harbour/takes/{uuid.uuid4()}?offset=0", content=b"x")
    assert last.status_code == 429
    assert anna.post("/c/harbour/write", {"sentence": "x" * 100_000}).status_code == 413


def test_ids_that_are_paths_name_nothing(volunteer: Join, tmp_path: Path) -> None:
    anna = volunteer()
    for odd in PATHS:
        name = odd.replace("\x00", "%00")
        for method, path in (
            ("GET", f"/api/c/harbour/takes/{name}"),
            ("PATCH", f"/api/c/harbour/takes/{name}?offset=0"),
            ("GET", f"/api/c/harbour/clips/{name}/sound"),
            ("GET", f"/api/c/{name}/clips"),
            ("GET", f"/static/{name}"),
        ):
            answer = anna.call(method, path, content=b"x" if method == "PATCH" else None)
            assert answer.status_code in (303, 307, 404, 405, 422), (method, path, answer.status_code)
            assert "root:" not in answer.text
    assert not list(tmp_path.glob("**/passwd*"))


def test_hostile_text_stays_text(volunteer: Join, admin: Browser, app: Any) -> None:
    anna = volunteer()
    hostile = [
        SCRIPT,
        "{{7*7}}",
        "'; DROP TABLE clip; --",
        '"><img src=x onerror=alert(1)>',
        *TURNED,
        *FORMULAS,
    ]
    for text in hostile:
        anna.get("/c/harbour/write")
        form = {"sentence": text, "source": text[:200], "licence": "CC0-1.0"}
        answer = anna.post("/c/harbour/write", form)
        assert answer.status_code in (303, 400, 409), (text, answer.status_code)
        assert SCRIPT not in answer.text and "<img src=x" not in answer.text
        anna.get("/c/harbour/me")
        anna.post("/c/harbour/me", {"accent": text[:150], "age": "", "gender": ""})
        shown = anna.get("/c/harbour/me").text
        assert (
            SCRIPT not in shown and "<img src=x" not in shown and "49" not in shown.split("accent")[1][:300]
        )
    number = anna.tasks(1)[0]["id"]
    anna.call("POST", f"/api/c/harbour/sentences/{number}/report", {"reason": SCRIPT})
    assert SCRIPT not in admin.get("/admin/c/harbour").text
    with app.state.services.database.reading() as session:
        texts = list(session.scalars(select(Sentence.text)))
    assert not any(text.startswith(("=", "+", "@")) or "\u202e" in text or "\x00" in text for text in texts)


def test_forged_and_replayed_tokens_are_refused(volunteer: Join, app: Any) -> None:
    anna, ben = volunteer(), volunteer()
    clip = anna.speak(1)
    own, path = ben.csrf, f"/api/c/harbour/clips/{clip}/votes"
    for forged in ("", "0" * 64, anna.csrf, own[:-1], own.upper() + "x", "é" * 32):
        assert (
            ben.client.post(path, json={"yes": True}, headers={"x-csrf-token": forged.encode()}).status_code
            == 403
        )
    ben.csrf = own
    foreign = ben.client.post(
        path, json={"yes": True}, headers={"x-csrf-token": own, "origin": "https://evil.example"}
    )
    assert foreign.status_code == 403
    stolen = Browser(app)
    stolen.get("/c/harbour")
    for cookie in ("v", "x" * 43, "' OR 1=1 --", ben.client.cookies["visitor"]):
        stolen.client.cookies.set("voice_harbour", cookie)
        assert stolen.call("POST", path, {"yes": True}).status_code == 403
    with app.state.services.database.reading() as session:
        assert session.scalar(select(Vote)) is None


@pytest.mark.parametrize("kind", ["oneself", "twice", "another campaign", "unknown", "after the end"])
def test_votes_that_must_not_count(volunteer: Join, app: Any, kind: str) -> None:
    anna, ben, cleo = volunteer(), volunteer(), volunteer()
    clip = anna.speak(1)
    if kind == "oneself":
        assert anna.vote(clip, True).status_code == 403
    elif kind == "twice":
        assert [ben.vote(clip, True).status_code for _ in range(3)] == [200, 200, 200]
        assert ben.vote(clip, False, "noise").status_code == 409
    elif kind == "unknown":
        assert ben.vote(str(uuid.uuid4()), True).status_code == 404
    elif kind == "another campaign":
        assert ben.call("POST", f"/api/c/other/clips/{clip}/votes", {"yes": True}).status_code == 404
    else:
        ben.vote(clip, True)
        cleo.vote(clip, True)
        late = volunteer()
        assert late.vote(clip, False, "noise").json() == {"state": "accepted"}
    expected = {"twice": 1, "after the end": 2}.get(kind, 0)
    with app.state.services.database.reading() as session:
        assert len(list(session.scalars(select(Vote)))) == expected


def test_wrong_types_are_refused_in_sentences(volunteer: Join) -> None:
    anna, ben = volunteer(), volunteer()
    clip = ben.speak(1)
    for body in (
        None, [], "x", 5, {"yes": "perhaps"}, {"yes": True, "extra": 1}, {"yes": False, "reason": 7},
        {"yes": False, "reason": "misread", "words": [-1]}, {"yes": False, "reason": "misread", "words": [1e9]},
        {"yes": False, "reason": "misread", "words": "all"}, {"yes": False, "reason": "misread", "words": [0] * 1000},
    ):  # fmt: skip
        answer = anna.call("POST", f"/api/c/harbour/clips/{clip}/votes", body)
        assert answer.status_code == 422 and answer.json()["error"], (body, answer.text)
    for body in ({}, {"sentence": 0, "sha256": "x"}, {"sentence": 2**40, "sha256": "0" * 64}):
        answer = anna.call("POST", f"/api/c/harbour/takes/{uuid.uuid4()}/finish", body)
        assert answer.status_code == 422
    assert anna.call("POST", "/api/c/harbour/tasks?count=1000000").status_code == 422
    assert anna.post("/c/harbour/me", {"age": "old", "gender": "x"}).status_code == 400


def test_bytes_that_are_not_those_that_were_promised(volunteer: Join) -> None:
    anna, ben = volunteer(), volunteer()
    sentence, take, data = anna.tasks(1)[0]["id"], str(uuid.uuid4()), wav(voice(2))
    anna.call("PATCH", f"/api/c/harbour/takes/{take}?offset=0", content=data[:-10])
    said = {"sentence": sentence, "sha256": hashlib.sha256(data).hexdigest()}
    assert anna.call("POST", f"/api/c/harbour/takes/{take}/finish", said).status_code == 409
    clip = anna.speak(3)
    answer = ben.send(ben.tasks(1)[0]["id"], wav(voice(4)), clip)
    assert answer.status_code == 403, "the id of somebody else's clip"
    assert anna.send(10_000, wav(voice(5))).status_code == 404, "a sentence that is not there"


def test_too_many_calls_are_asked_to_wait(volunteer: Join, app: Any) -> None:
    anna, ben = volunteer(), volunteer()
    clip = ben.speak(1)
    now_s = time.monotonic()
    app.state.services.rates._clock = lambda: now_s  # time stands still, however slow the machine
    most = app.state.services.settings.limits.votes_per_voice[0]
    answers = [anna.vote(clip, True) for _ in range(most + 5)]
    assert answers[-1].status_code == 429 and int(answers[-1].headers["retry-after"]) >= 1
    assert RATE_HZ == 16_000


def test_every_answer_carries_the_headers_that_guard_it(volunteer: Join) -> None:
    anna = volunteer()
    for path in ("/", "/c/harbour/speak", "/static/speak.js", "/api/c/harbour/clips", "/nowhere"):
        headers = anna.get(path).headers
        assert (
            "default-src 'none'" in headers["content-security-policy"]
            and "unsafe" not in headers["content-security-policy"]
        )
        assert headers["x-content-type-options"] == "nosniff" and "cache-control" in headers
    cookies = [
        line.lower() for line in Browser(anna.client.app).get("/c/harbour").headers.get_list("set-cookie")
    ]
    assert cookies and all("httponly" in one and "samesite" in one for one in cookies)
