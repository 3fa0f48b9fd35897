"""Files to transcripts: what is wrong with one is said and the others go on; what is done is not done again."""

from __future__ import annotations

import errno
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from store.errors import StoreError
from store.opening import open_store
from training import __main__ as cli
from training.transcription import commands
from training.transcription.serve import Released, make_app
from training.transcription.transcribe import OutputFolder, jobs_of, transcribe, transcribe_all


@pytest.fixture
def files(tmp_path: Path, spoken: Any) -> list[Path]:
    """Two that speak, one silent, one damaged, one missing."""
    rest = np.zeros(16000, np.float32)
    for name, text in (("one.wav", "abba"), ("two.wav", "cad face")):
        soundfile.write(tmp_path / name, np.concatenate([rest, spoken(text), rest]), 16000)
    soundfile.write(tmp_path / "silent.wav", rest, 16000)
    (tmp_path / "broken.wav").write_bytes(b"RIFF\x00\x00\x00\x00WAVEnothing")
    return [tmp_path / name for name in ("one.wav", "broken.wav", "silent.wav", "missing.wav", "two.wav")]


def test_every_file_is_answered_in_order(files: list[Path], tone_recognizer: Any) -> None:
    recognizer = tone_recognizer(threads=2, deaf_frames=0)
    answers = list(transcribe_all(jobs_of(files), recognizer))
    texts = [" ".join(segment.text for segment in one.segments) for one in answers]
    assert texts == ["abba", "", "", "", "cad face"]
    problems = [one.problem or "" for one in answers]
    assert problems[0] == problems[4] == ""
    assert (
        "no sound or film" in problems[1]
        and "no speech was found" in problems[2]
        and "no such file" in problems[3]
    )
    assert answers[0].duration_s == pytest.approx(2.56, abs=0.01)


def test_channels_apart(tmp_path: Path, tone_recognizer: Any, spoken: Any) -> None:
    rest = np.zeros(16000, np.float32)
    left = np.concatenate([rest, spoken("abba"), rest, rest])
    right = np.concatenate([rest, rest, spoken("cada"), rest])
    soundfile.write(tmp_path / "both.wav", np.stack([left, right], axis=1), 16000)
    (job,) = jobs_of([tmp_path / "both.wav"])
    answer = transcribe(job, tone_recognizer(deaf_frames=0), apart=True)
    assert [(one.channel, one.text) for one in answer.segments] == [(0, "abba"), (1, "cada")]
    assert answer.duration_s == pytest.approx(3.56, abs=0.01)


def test_a_folder_remembers_what_it_holds(files: list[Path], tmp_path: Path, tone_recognizer: Any) -> None:
    recognizer = tone_recognizer(deaf_frames=0)
    folder = OutputFolder(tmp_path / "out", "srt", {"model": "a"})
    (job,) = jobs_of(files[:1])
    path = folder.write(transcribe(job, recognizer))
    assert path.name == "one.wav.srt" and "abba" in path.read_text()
    assert OutputFolder(tmp_path / "out", "srt", {"model": "a"}).has(files[0])
    assert not OutputFolder(tmp_path / "out", "srt", {"model": "b"}).has(files[0])
    assert not OutputFolder(tmp_path / "out", "srt", {"model": "a"}).has(files[4])
    files[0].write_bytes(files[4].read_bytes())
    assert not OutputFolder(tmp_path / "out", "srt", {"model": "a"}).has(files[0])


def run(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> tuple[int, str, str]:
    capsys.readouterr()
    status = cli.main(arguments)
    printed = capsys.readouterr()
    return status, printed.out, printed.err


def test_the_command(
    files: list[Path],
    tmp_path: Path,
    tone_recognizer: Any,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(commands, "load_recognizer", lambda options, store: tone_recognizer(deaf_frames=0))
    status, out, err = run(capsys, ["transcribe", str(files[0]), "--format", "json"])
    assert status == 0 and json.loads(out)["segments"][0]["text"] == "abba"
    status, out, err = run(capsys, ["transcribe", *map(str, files), "--out", str(tmp_path / "out")])
    assert status == 1 and out == "" and "silent.wav: no speech was found" in err and "Traceback" not in err
    written = sorted(path.name for path in (tmp_path / "out").iterdir() if not path.name.startswith("."))
    assert written == ["one.wav.txt", "two.wav.txt"]
    status, out, err = run(capsys, ["transcribe", str(files[0]), "--out", str(tmp_path / "out")])
    assert status == 0 and "1 of 1 files are transcribed already" in err
    pieces = ["--pieces", str(tmp_path / "cut")]
    assert run(capsys, ["transcribe", str(files[0]), "--out", str(tmp_path / "out"), *pieces])[0] == 0
    assert (tmp_path / "cut/one.wav/0001.txt").read_text() == "abba\n"
    status, out, err = run(capsys, ["transcribe", "-", *pieces])
    assert status == 1 and "without - and --serve" in err
    assert run(capsys, ["transcribe"])[0] == 1


def test_wishes_that_cannot_be_met_are_sentences(
    files: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = ["--store", str(open_store(tmp_path / "store").root)]
    status, _, err = run(capsys, ["transcribe", str(files[0]), *store])
    assert status == 2 and "no model is released" in err and "Traceback" not in err
    status, _, err = run(capsys, ["transcribe", str(files[0]), "--model", "abc", *store])
    assert status == 2 and "model 'abc': there is none" in err
    other = tmp_path / "other"
    other.mkdir()
    (other / "model.json").write_text('{"kind": "model", "format": 99}')
    status, _, err = run(capsys, ["transcribe", str(files[0]), "--model", str(other), *store])
    assert status == 2 and "format 99" in err


def test_the_page_hears_what_is_sent_to_it(files: list[Path], tone_recognizer: Any) -> None:
    from fastapi.testclient import TestClient

    recognizer = tone_recognizer(deaf_frames=0)
    app = make_app(lambda: recognizer, "secret")
    stranger = TestClient(app, base_url="http://127.0.0.1")
    assert stranger.get("/").status_code == 403
    assert stranger.post("/hear", content=files[0].read_bytes()).status_code == 403
    assert stranger.get("/?token=wrong").status_code == 403
    guest = TestClient(app, base_url="http://127.0.0.1")
    page = guest.get("/?token=secret")
    assert page.status_code == 200 and "Model tones" in page.text and "token" not in str(page.url)
    assert "MediaRecorder" in guest.get("/page.js").text
    answer = guest.post("/hear", content=files[0].read_bytes())
    assert answer.status_code == 200 and answer.json()["segments"][0]["text"] == "abba"
    assert guest.post("/hear", content=b"rubbish").json()["problem"].startswith("no sound or film")
    crossing = {"sec-fetch-site": "cross-site"}
    assert guest.post("/hear", content=b"x", headers=crossing).status_code == 403


def test_the_page_of_a_store_without_a_model_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from fastapi.testclient import TestClient

    monkeypatch.setenv("SPEECHMILL_STORE", str(tmp_path / "store"))
    guest = TestClient(make_app(Released(), None), base_url="http://127.0.0.1")
    answer = guest.get("/")
    assert answer.status_code == 503 and "no model is released" in answer.text
    assert "no model is released" in guest.post("/hear", content=b"x").json()["problem"]


def test_a_full_disk_leaves_nothing_half_written(
    files: list[Path], tmp_path: Path, tone_recognizer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = OutputFolder(tmp_path / "out", "srt", {})
    transcript = transcribe(jobs_of(files[:1])[0], tone_recognizer())

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch, pytest.raises(StoreError, match="full"):
        patch.setattr("os.fsync", full)
        out.write(transcript)
    assert not out.has(files[0]) and list((tmp_path / "out").iterdir()) == []
    assert out.write(transcript).is_file() and out.has(files[0])
