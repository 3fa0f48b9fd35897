"""Donated texts from the archive to the rows: cues, time bases, formats, encodings, text without times."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from corpora.errors import NothingImportedError
from store.opening import open_store
from tests.corpora.donated import HEAD, TRS, audio, checks, run, sound, srt, write

# --- 3 cues that make no sense ----------------------------------------------------------------------------


def test_03_bad_cues_are_treated_by_the_policy_and_counted(tmp_path: Path) -> None:
    cues = srt(
        (0, 2, "One."), (3, 3, "Two."), (5, 4, "Three."), (6, 8, "Four."), (7, 9, "Five."), (9.5, 20, "Six.")
    )
    write(tmp_path / "src", {"p.wav": audio(sound(12)), "p.srt": cues}, 'text_kind = "verbatim"\n')
    said, rows, rejections = run(tmp_path / "src", tmp_path / "store")
    assert said["rejected"] == {"bad_times": 2, "span_past_end": 1}
    assert [(r["text"], r["source_end_s"]) for r in rows] == [("one", 2.0), ("four", 7.0), ("five", 9.0)]
    assert "overlap_trimmed" in rows[1]["flags"]
    assert [r["line"] for r in sorted(rejections, key=lambda r: r["line"])] == [6, 10, 22]
    write(tmp_path / "src", {}, 'text_kind = "verbatim"\noverlaps = "reject"\n')
    said, rows, _ = run(tmp_path / "src", tmp_path / "store")
    assert said["rejected"] == {"bad_times": 2, "overlapping_cue": 2, "span_past_end": 1}


# --- 4 time bases -----------------------------------------------------------------------------------------


def test_04_a_ten_hour_start_is_found_taken_off_and_said(tmp_path: Path) -> None:
    hours = 10 * 3600
    cues = srt((hours + 1, hours + 3, "Good evening."), (hours + 4, hours + 6, "The news."))
    write(tmp_path / "src", {"p.wav": audio(sound(8)), "p.srt": cues})
    said, rows, _ = run(tmp_path / "src", tmp_path / "store")
    assert [(r["source_start_s"], r["text"]) for r in rows] == [(1.0, "good evening"), (4.0, "the news")]
    assert all("time_base_shifted" in row["flags"] for row in rows)
    notes = json.loads((Path(said["path"]) / "manifest.json").read_text())["notes"]
    assert any("36000 s are taken off" in note and "time_offset_s" in note for note in notes)


def test_04_an_offset_said_by_the_donor_wins(tmp_path: Path) -> None:
    write(
        tmp_path / "src",
        {"p.wav": audio(sound(8)), "p.srt": srt((5, 7, "Good evening."))},
        "time_offset_s = 3\n",
    )
    _, rows, _ = run(tmp_path / "src", tmp_path / "store")
    assert [r["source_start_s"] for r in rows] == [2.0]


def drifting(stretch: float) -> tuple[bytes, bytes]:
    """Ten minutes of bursts of noise, and captions whose times run by another clock."""
    chance = np.random.default_rng(4)
    samples = np.zeros((600 * 8000, 1), dtype=np.int16)
    cues, at = [], 1.0
    while at < 590:
        length = float(chance.uniform(1.2, 4.0))
        here = slice(round(at * 8000), round((at + length) * 8000))
        samples[here, 0] = chance.normal(0, 3000, here.stop - here.start)
        cues.append((at / stretch, (at + length) / stretch, f"Line {'abcdefghij'[len(cues) % 10]}."))
        at += length + float(chance.uniform(0.6, 5.0))
    return audio(samples, "FLAC", 8000), srt(*cues)


@pytest.mark.slow
def test_04_drift_is_flagged_and_put_right_only_by_the_option(tmp_path: Path) -> None:
    sound_bytes, cues = drifting(25 / 24)
    write(tmp_path / "src", {"p.flac": sound_bytes, "p.srt": cues})
    said, rows, _ = run(tmp_path / "src", tmp_path / "store")
    manifest = json.loads((Path(said["path"]) / "manifest.json").read_text())
    assert manifest["flags"]["time_drift"] == said["utterances"]
    write(tmp_path / "src", {}, f"time_stretch = {25 / 24}\n")
    _, stretched, _ = run(tmp_path / "src", tmp_path / "store")
    assert not any("time_drift" in row["flags"] for row in stretched)
    assert all("time_stretched" in row["flags"] for row in stretched)
    assert stretched[0]["source_start_s"] == pytest.approx(rows[0]["source_start_s"] * 25 / 24, abs=0.002)


@pytest.mark.slow
def test_04_captions_that_keep_pace_are_not_flagged(tmp_path: Path) -> None:
    sound_bytes, cues = drifting(1.0)
    write(tmp_path / "src", {"p.flac": sound_bytes, "p.srt": cues})
    said, _, _ = run(tmp_path / "src", tmp_path / "store")
    assert "time_drift" not in json.loads((Path(said["path"]) / "manifest.json").read_text())["flags"]


def test_subtitles_are_joined_and_never_in_dev_or_test(tmp_path: Path) -> None:
    files: dict[str, bytes | str] = {}
    for number in range(6):
        files[f"p{number}.wav"] = audio(sound(8, number))
        files[f"p{number}.srt"] = srt((0.5, 2, "When it rains"), (2.1, 4, f"it pours {'abcdef'[number]}."))
    said, rows, _ = run(write(tmp_path / "src", files), tmp_path / "store")
    assert set(said["splits"]) == {"train"}
    assert (rows[0]["text"], rows[0]["source_end_s"]) == ("when it rains it pours a", 4.0)
    assert said["ignored"]["joined to the cue before"] == 6


# --- 8, 9, 10 ---------------------------------------------------------------------------------------------


def test_08_ctm_fields_are_start_and_duration(tmp_path: Path) -> None:
    files = {"talk.wav": audio(sound(12)), "talk.ctm": "talk 1 10.0 0.5 hello\ntalk 1 10.5 0.75 there\n"}
    _, rows, _ = run(write(tmp_path / "src", files), tmp_path / "store")
    assert [(r["source_start_s"], r["source_end_s"], r["text"]) for r in rows] == [
        (10.0, 11.25, "hello there")
    ]


@pytest.mark.parametrize(
    ("encoding", "declared", "flag"),
    [
        ("utf-8-sig", "", False),
        ("utf-16", "", False),
        ("latin-1", "", True),
        ("cp1252", "", True),
        ("cp1252", "cp1252", False),
    ],
)
def test_09_encodings_are_detected_or_declared(
    encoding: str, declared: str, flag: bool, tmp_path: Path
) -> None:
    text = srt((0, 2, "The café is nice.")).decode().encode(encoding)
    extra = 'text_kind = "verbatim"\n' + (f'encoding = "{declared}"\n' if declared else "")
    write(tmp_path / "src", {"p.wav": audio(sound(3)), "p.srt": text}, extra)
    _, rows, _ = run(tmp_path / "src", tmp_path / "store")
    assert [(r["text_raw"], r["text"]) for r in rows] == [("The café is nice.", "the cafe is nice")]
    assert ("encoding_guessed" in rows[0]["flags"]) is flag


def test_09_undecodable_text_is_refused_with_its_offset(tmp_path: Path) -> None:
    text = srt((0, 2, "Gut."), (3, 5, "x")).replace(b"Gut", "gut é".encode()).replace(b"x", b"bad \xff")
    write(tmp_path / "src", {"p.wav": audio(sound(6)), "p.srt": text}, 'text_kind = "verbatim"\n')
    _, rows, rejections = run(tmp_path / "src", tmp_path / "store")
    assert len(rows) == 1
    assert [(r["check"], f"offset {text.index(bytes([0xFF]))} " in r["reason"]) for r in rejections] == [
        ("encoding", True)
    ]


def test_10_pipes_entities_and_the_network_are_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import socket

    def no_network(*_: Any) -> None:
        raise AssertionError("the importer opened a connection")

    monkeypatch.setattr(socket.socket, "connect", no_network)
    witness = tmp_path / "executed"
    bad_entity = '<!DOCTYPE Trans [<!ENTITY a SYSTEM "file:///etc/passwd">]><Trans audio_filename="p"><x>&a;</x></Trans>'
    files: dict[str, bytes | str] = {
        "data/wav.scp": f"u1 {tmp_path.name}/p.wav\nu2 touch {witness}; cat p.wav |\nu3 q.wav\n",
        "data/text": "u2 piped\nu3 plain path\n",
        "data/utt2spk": "u3 ann\n",
        "q.wav": audio(sound(2)),
        "p.wav": audio(sound(3)),
        "p.trs": bad_entity,
        "r.wav": audio(sound(3, 1)),
        "r.trs": '<!DOCTYPE Trans SYSTEM "http://192.0.2.1/trans-14.dtd">'
        + TRS.partition("?>")[2].partition(">")[2],
    }
    _, rows, rejections = run(write(tmp_path / "src", files), tmp_path / "store")
    assert sorted(r["text"] for r in rows) == ["deja vu", "plain path"]
    assert ("data/text", "piped_audio") in checks(rejections)
    assert ("p.trs", "unsafe_xml") in checks(rejections)
    assert not witness.exists()


# --- untimed text -----------------------------------------------------------------------------------------


def test_untimed_text_of_a_long_recording_waits_to_be_aligned(tmp_path: Path) -> None:
    files = {
        "talk.wav": audio(sound(50, rate_hz=24000), rate_hz=24000),
        "talk.txt": "A long talk.\nIn two lines.",
    }
    files |= {"short.wav": audio(sound(2, 1)), "short.txt": "Short."}
    source, store = write(tmp_path / "src", files), open_store(tmp_path / "store")
    said, rows, rejections = run(source, store.root)
    assert [row["text"] for row in rows] == ["short"]
    assert checks(rejections) == [("talk.txt", "needs_alignment")]
    waiting = store.quarantined("gift")
    assert said["needs_alignment"]["path"] == str(waiting.path)
    (entry,) = json.loads((waiting.path / "needs_alignment" / "catalog.json").read_text())
    assert (entry["tlog"], entry["aligned"], entry["donor_id"]) == (None, None, "A Giver")
    samples, rate_hz = soundfile.read(waiting.path / "needs_alignment" / entry["audio"])
    assert (rate_hz, len(samples)) == (16000, 50 * 16000)
    script = waiting.path / "needs_alignment" / entry["script"]
    assert script.read_text() == "A long talk.\nIn two lines."
    (source / "talk.srt").write_bytes(srt((0, 2, "A long talk.")))
    (source / "talk.txt").unlink()
    run(source, store.root)
    assert store.quarantined_names() == []


def test_untimed_text_alone_is_kept_and_nothing_is_published(tmp_path: Path) -> None:
    files = {"talk.wav": audio(sound(3)), "talk.txt": "A talk."}
    source = write(tmp_path / "src", files, 'timing = "none"\n')
    with pytest.raises(NothingImportedError, match="needs_alignment"):
        run(source, tmp_path / "store")
    assert open_store(tmp_path / "store").quarantined_names() == ["gift"]
    assert open_store(tmp_path / "store").corpus_names() == []


def test_speakers_that_nobody_names_are_one_per_file_and_train_only(tmp_path: Path) -> None:
    files: dict[str, bytes | str] = {}
    for number in range(5):
        files[f"p{number}.wav"] = audio(sound(3, number))
        files[f"p{number}.txt"] = f"Sentence {'abcde'[number]}."
    files["donation.toml"] = HEAD.replace('speaker_rule = "file"\n', "")
    said, rows, _ = run(write(tmp_path / "src", files, None), tmp_path / "store")
    assert [row["speaker_id"] for row in rows] == [f"A Giver:p{number}" for number in range(5)]
    assert set(said["splits"]) == {"train"}
