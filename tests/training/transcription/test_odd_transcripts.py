"""Every form of odd transcripts, read back word by word by plain readers of its rules, against the words of the JSON."""

from __future__ import annotations

import html
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from training import __main__ as cli
from training.runtime.recognizer import Word
from training.transcription import commands
from training.transcription.formats import FORMATS, Transcript
from training.transcription.segments import Segment

Row = tuple[str, float, float]  # word, start and end in seconds


def segment(*rows: Row, channel: int | None = None) -> Segment:
    return Segment(tuple(Word(word, start_s, end_s, 0.5) for word, start_s, end_s in rows), channel)


ODD = {
    "nothing": Transcript("nothing.wav", 0.0, "m", (), "nothing.wav: no speech was found in it"),
    "one word": Transcript("one.wav", 1.0, "m", (segment(("hm", 0.0, 1.0)),)),
    "quotes": Transcript(
        'a "b"\tc\n.wav', 9.0, "m", (segment(('"', 0.5, 1.0), ('say"so"', 1.0, 2.0), ("''", 2.5, 3.0)),)
    ),
    "signs": Transcript(
        ";;x.wav",
        9.0,
        "m",
        (segment(("-->", 0.5, 1.0), ("<v", 1.0, 2.0), ("&amp;", 2.0, 2.5), ("ä\u0301ß", 2.5, 3.0)),),
    ),
    "control": Transcript("a.wav", 9.0, "m", (segment(("a\x01b", 0.5, 1.0), ("c\x1bd", 1.0, 2.0)),)),
    "no length": Transcript(
        "a.wav",
        3.0,
        "m",
        (
            segment(("a", 0.5, 0.5), ("b", 0.5, 1.0), ("c", 1.0, 1.0), ("d", 2.0, 2.0)),
            segment(("e", 3.0, 3.0)),
        ),
    ),
    "hours": Transcript(
        "a.wav", 372000.0, "m", (segment(("late", 3599.9996, 3661.5)), segment(("later", 371999.0, 372000.0)))
    ),
    "apart": Transcript(
        "x.wav",
        9.0,
        "m",
        (
            segment(("left", 0.5, 4.0), channel=0),
            segment(("right", 1.0, 2.0), channel=1),
            segment(("again", 5.0, 6.0), channel=0),
        ),
    ),
    "letters": Transcript(
        "名.wav", 4.0, "m", (segment(("你", 0.5, 1.0), ("好", 1.0, 1.5), ("ok", 1.5, 2.0)),)
    ),
}


def words_of_textgrid(text: str) -> list[list[Row]]:
    """The filled intervals of every second tier, by Praat's rules: strings in quotes, a quote in them doubled."""
    values = re.findall(r'"(?:[^"]|"")*"|(?<= = )[\d.]+', text.partition("item []:")[2])
    tiers: list[list[Row]] = []
    place = 0
    while place < len(values):
        assert values[place] == '"IntervalTier"', values[place : place + 4]
        name, low, high, count = (
            values[place + 1],
            values[place + 2],
            values[place + 3],
            int(values[place + 4]),
        )
        place += 5
        rows, ended = [], float(low)
        for _ in range(count):
            start_s, end_s, label = float(values[place]), float(values[place + 1]), values[place + 2]
            assert start_s == ended < end_s, (
                start_s,
                ended,
                end_s,
            )  # no gap, no overlap, none without length
            ended, place = end_s, place + 3
            word = label[1:-1].replace('""', '"')
            rows += [(word, start_s, end_s)] if word else []
        assert ended == float(high)
        tiers += [rows] if name.startswith('"words') else []
    return tiers


def words_of_ctm(text: str) -> list[tuple[str, Row]]:
    rows = []
    for line in text.split("\n")[:-1]:
        assert not line.startswith(";;"), "a comment"
        _, channel, start_s, length_s, word, confidence = line.split(" ")
        assert float(confidence) == 0.5
        rows.append((channel, (word, float(start_s), float(start_s) + float(length_s))))
    return rows


def seconds(clock: str) -> float:
    hours, minutes, rest = clock.replace(",", ".").split(":")
    assert len(minutes) == 2 and len(rest) == 6, clock
    return int(hours) * 3600 + int(minutes) * 60 + float(rest)


def cues(text: str) -> list[tuple[float, float, str]]:
    """Blocks with a line of two times; what stands below it is the text."""
    found = []
    for block in text.replace("WEBVTT\n\n", "").split("\n\n"):
        lines = block.strip("\n").split("\n")
        at = next((place for place, line in enumerate(lines) if " --> " in line), None)
        if at is not None:
            start, _, end = lines[at].partition(" --> ")
            found.append((seconds(start), seconds(end), " ".join(lines[at + 1 :])))
    return found


def expected(transcript: Transcript) -> list[dict[str, Any]]:
    answer: list[dict[str, Any]] = json.loads(FORMATS["json"][1](transcript))["segments"]
    return answer


@pytest.mark.parametrize("name", ODD)
def test_a_textgrid_holds_every_word_in_its_place(name: str) -> None:
    transcript = ODD[name]
    segments = expected(transcript)
    tiers = words_of_textgrid(FORMATS["textgrid"][1](transcript))
    channels = sorted({one.get("channel", 0) for one in segments}) or [0]
    assert len(tiers) == len(channels)
    for channel, rows in zip(channels, tiers, strict=True):
        words = [word for one in segments if one.get("channel", 0) == channel for word in one["words"]]
        assert [row[0] for row in rows] == [word["word"] for word in words]
        for (_, start_s, end_s), word in zip(rows, words, strict=True):
            assert start_s == pytest.approx(word["start_s"], abs=0.0025)
            assert end_s == pytest.approx(word["end_s"], abs=0.0025)


@pytest.mark.parametrize("name", ODD)
def test_a_ctm_holds_every_word_in_its_place(name: str) -> None:
    segments = expected(ODD[name])
    words = [(one.get("channel", 1), word) for one in segments for word in one["words"]]
    rows = words_of_ctm(FORMATS["ctm"][1](ODD[name]))
    assert len(rows) == len(words)
    for (channel, row), (wanted, word) in zip(rows, words, strict=True):
        assert (channel, row[0]) == (str(wanted), word["word"])
        assert row[1:] == pytest.approx((word["start_s"], word["end_s"]), abs=0.0015)


@pytest.mark.parametrize("name", ODD)
def test_subtitles_and_text_hold_every_word_in_order(name: str) -> None:
    segments = expected(ODD[name])
    voices = ["" if "channel" not in one else f"[{one['channel']}] " for one in segments]
    assert FORMATS["text"][1](ODD[name]) == "".join(one["text"] + "\n" for one in segments)
    srt = cues(FORMATS["srt"][1](ODD[name]))
    assert [text for _, _, text in srt] == [
        voice + one["text"] for voice, one in zip(voices, segments, strict=True)
    ]
    vtt = cues(FORMATS["vtt"][1](ODD[name]))
    plain = [html.unescape(re.sub(r"<[^>]*>", "", text)) for _, _, text in vtt]
    assert plain == [one["text"] for one in segments]
    for form in (srt, vtt):
        for (start_s, end_s, _), one in zip(form, segments, strict=True):
            assert start_s < end_s
            assert (start_s, end_s) == pytest.approx((one["start_s"], one["end_s"]), abs=0.0015)
    for (start_s, end_s, text), one in zip(vtt, segments, strict=True):
        stamps = [seconds(stamp) for stamp in re.findall(r"<([\d:.]{12,})>", text)]
        assert len(stamps) == len(one["words"]) - 1
        assert all(start_s <= stamp <= end_s for stamp in stamps) and stamps == sorted(stamps)


def test_files_of_odd_names_are_written_in_every_form_and_say_the_same(
    tmp_path: Path, spoken: Any, tone_recognizer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commands, "load_recognizer", lambda options, store: tone_recognizer(deaf_frames=0))
    rest = np.zeros(16000, np.float32)
    names = [
        "a b.wav",
        "'q' \"q\".wav",
        "ünö 名.wav",
        "-dash.wav",
        b"\xff\xfe.wav".decode("utf-8", "surrogateescape"),
    ]
    files = [tmp_path / name for name in names]
    stereo = np.stack(
        [np.concatenate([rest, spoken("abba")]), np.concatenate([spoken("cada"), rest])], axis=1
    )
    for file in files:
        with file.open("wb") as opened:
            soundfile.write(opened, stereo, 16000, format="WAV")
    monkeypatch.chdir(tmp_path)
    for form, (suffix, _) in FORMATS.items():
        command = ["transcribe", *map(str, files), "--channels", "apart", "--format", form]
        assert cli.main([*command, "--out", str(tmp_path / form)]) == 0, form
        for name in names:
            text = (tmp_path / form / f"{name}{suffix}").read_text("utf-8")
            assert text.index("cada") < text.index("abba") or form == "textgrid", (form, name)
            if form == "json":
                assert [one["channel"] for one in json.loads(text)["segments"]] == [1, 0]
