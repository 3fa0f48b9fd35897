"""Files to transcripts: what is wrong with one is said and the others go on; what is done is not done again."""

from __future__ import annotations

import errno
import io
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


def test_what_was_heard_before_the_damage_is_kept(tmp_path: Path, tone_recognizer: Any, spoken: Any) -> None:
    rest = np.zeros(16000, np.float32)
    sound = np.concatenate([rest, spoken("abba"), rest, rest, spoken("cad"), rest])
    soundfile.write(tmp_path / "cut.wav", sound, 16000)
    data = (tmp_path / "cut.wav").read_bytes()
    (tmp_path / "cut.wav").write_bytes(data[: 44 + 2 * (32000 + len(spoken("abba")))])
    (answer,) = transcribe_all(jobs_of([tmp_path / "cut.wav"]), tone_recognizer(deaf_frames=0))
    assert [one.text for one in answer.segments] == ["abba"] and "cut short" in str(answer.problem)


def test_what_would_be_lost_is_refused_before_anything_is_heard(
    files: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commands, "load_recognizer", lambda options, store: pytest.fail("loaded already"))
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "one.wav").write_bytes(files[4].read_bytes())
    namesakes = [str(files[0]), str(tmp_path / "b" / "one.wav")]
    for arguments, says in (
        ([*namesakes, "--out", str(tmp_path / "out")], "both be written as one.wav"),
        ([*namesakes, "--pieces", str(tmp_path / "out")], "both be written as one.wav"),
        (["-", str(files[0])], "goes alone"),
        (["-", "--out", str(tmp_path / "out")], "leave --out"),
        ([str(files[0]), "--serve"], "takes no files"),
    ):
        status, out, err = run(capsys, ["transcribe", *arguments])
        assert status == 1 and out == "" and says in err
    assert not (tmp_path / "out").exists()
    for wrong in (["--rate", "0"], ["--threads", "-3"], ["--track", "0"]):
        with pytest.raises(SystemExit):
            cli.main(["transcribe", str(files[0]), *wrong])
        assert "is not a whole number from" in capsys.readouterr().err


def test_a_folder_that_cannot_be_written_is_named_before_anything_is_heard(
    files: list[Path],
    tmp_path: Path,
    tone_recognizer: Any,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    recognizer = tone_recognizer(deaf_frames=0)
    monkeypatch.setattr(recognizer, "stretches", lambda pieces: pytest.fail("heard already"))
    monkeypatch.setattr(commands, "load_recognizer", lambda options, store: recognizer)
    (tmp_path / "taken").write_text("a file")
    for wish in ("--out", "--pieces"):
        status, out, err = run(capsys, ["transcribe", str(files[0]), wish, str(tmp_path / "taken")])
        assert status == 1 and out == "" and f"cannot write {tmp_path / 'taken'}" in err


class Pipe:
    """Standard input that gives a few bytes at a time."""

    def __init__(self, data: bytes) -> None:
        self.buffer = self
        self._data = io.BytesIO(data)

    def read(self, size: int) -> bytes:
        return self._data.read(min(size, 7))


def wav_of(samples: Any, **form: Any) -> bytes:
    out = io.BytesIO()
    soundfile.write(out, samples, form.pop("rate", 16000), format="WAV", **form)
    return out.getvalue()


def test_a_pipe_is_raw_sound_or_a_wav_of_it_and_nothing_else(
    tone_recognizer: Any, spoken: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(commands, "load_recognizer", lambda options, store: tone_recognizer(deaf_frames=0))
    rest = np.zeros(16000, np.float32)
    sound = np.concatenate([rest, spoken("abba"), rest])
    wav = wav_of(sound)
    for data in (wav, wav[44:], wav[:36] + b"LIST\3\0\0\0abc\0" + wav[36:]):
        monkeypatch.setattr("sys.stdin", Pipe(data))
        status, out, _ = run(capsys, ["transcribe", "-", "--format", "json"])
        answer = json.loads(out)
        assert status == 0 and answer["segments"][0]["text"] == "abba"
        assert answer["duration_s"] == pytest.approx(len(sound) / 16000, abs=1e-3)  # the header is no sound
    monkeypatch.setattr("sys.stdin", Pipe(wav_of(sound[::2], rate=8000)))
    assert json.loads(run(capsys, ["transcribe", "-", "--json"])[1])["duration_s"] == pytest.approx(
        2.56, abs=0.01
    )
    both = wav_of(np.stack([sound, sound], axis=1))
    for data in (
        both,
        wav_of(sound, subtype="PCM_24"),
        b"ID3\4" + bytes(99),
        bytes(4) + b"ftypM4A " + bytes(9),
    ):
        monkeypatch.setattr("sys.stdin", Pipe(data))
        status, out, err = run(capsys, ["transcribe", "-"])
        assert status == 1 and out == "" and "standard input is a" in err and "ffmpeg -i -" in err


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
