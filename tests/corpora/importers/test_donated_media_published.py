"""Donated recordings from the file to the rows: containers, damage, tracks, channels, memory."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from corpora.errors import NothingImportedError
from tests.corpora.donated import HEAD, RATE_HZ, audio, film, run, sound, srt, write

# --- 7 media ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("suffix", "arguments"),
    [
        ("m4a", ()),
        ("mkv", ()),
        *(
            pytest.param(suffix, (), marks=pytest.mark.slow)
            for suffix in ("mp4", "ts", "aac", "wma", "mov", "opus")
        ),
    ],
)
def test_07_sound_of_films_and_odd_containers(
    suffix: str, arguments: tuple[str, ...], tmp_path: Path
) -> None:
    data = film(sound(4), tmp_path, suffix, arguments)
    write(
        tmp_path / "src",
        {f"p.{suffix}": data, "p.srt": srt((0.5, 2.5, "Hello."))},
        'text_kind = "verbatim"\n',
    )
    _, rows, rejections = run(tmp_path / "src", tmp_path / "store")
    assert [r["text"] for r in rows] == ["hello"], rejections
    assert rows[0]["duration_s"] == pytest.approx(2.0, abs=0.01)


def test_07_truncated_media_are_refused_with_both_lengths(tmp_path: Path) -> None:
    whole = film(sound(20), tmp_path, "mkv")
    files = {"p.mkv": whole[: len(whole) // 2], "p.srt": srt((0.5, 2.5, "Hello."))}
    files |= {
        "q.wav": audio(sound(9))[:9000],
        "q.srt": srt((0.0, 2.0, "Hello.")),
        "r.wav": audio(sound(3, 1)),
    }
    write(tmp_path / "src", {**files, "r.srt": srt((0.0, 2.0, "Hello."))}, 'text_kind = "verbatim"\n')
    _, rows, rejections = run(tmp_path / "src", tmp_path / "store")
    assert len(rows) == 1
    reasons = {r["source_path"]: (r["check"], r["reason"]) for r in rejections}
    assert reasons["p.mkv"][0] == reasons["q.wav"][0] == "audio_truncated"
    assert "s decoded, the container declares 20.0" in reasons["p.mkv"][1]


def test_07_several_sound_tracks_need_a_choice(tmp_path: Path) -> None:
    data = film(sound(4), tmp_path, "mkv", ("-map", "0:a", "-map", "1:a"))
    write(tmp_path / "src", {"p.mkv": data, "p.srt": srt((0.5, 2.5, "Hello."))}, 'text_kind = "verbatim"\n')
    with pytest.raises(NothingImportedError, match="audio_tracks"):
        run(tmp_path / "src", tmp_path / "store")
    write(tmp_path / "src", {}, 'text_kind = "verbatim"\naudio_track = 1\n')
    assert len(run(tmp_path / "src", tmp_path / "store")[1]) == 1


def test_07_playlists_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "secret.wav").write_bytes(audio(sound(4)))
    playlist = f"ffconcat version 1.0\nfile {tmp_path / 'secret.wav'}\n"
    write(
        tmp_path / "src", {"p.mp4": playlist, "p.srt": srt((0.5, 2.5, "Hello."))}, 'text_kind = "verbatim"\n'
    )
    with pytest.raises(NothingImportedError, match="audio_unreadable"):
        run(tmp_path / "src", tmp_path / "store")


@pytest.mark.parametrize(
    ("mode", "shape", "wanted"),
    [
        ("", "different", "channels_differ"),
        ("", "equal", 3000),
        ("", "right", 2000),
        ('channel_mode = "left"\n', "different", 3000),
        ('channel_mode = "right"\n', "different", 2000),
        ('channel_mode = "mix"\n', "different", 2500),
        ('channel_mode = "split"\n', "different", "channel_unknown"),
    ],
)
def test_channels_follow_the_policy(mode: str, shape: str, wanted: int | str, tmp_path: Path) -> None:
    left = np.full(3 * RATE_HZ, 0 if shape == "right" else 3000, dtype=np.int16)
    right = left if shape == "equal" else np.full(3 * RATE_HZ, 2000, dtype=np.int16)
    data = audio(np.stack([left, right], axis=1))
    files = {
        "p.wav": data,
        "p.srt": srt((0.5, 2.5, "Hello.")),
        "q.wav": audio(sound(3)),
        "q.stm": "q 1 x 0 2 good\n",
    }
    source = write(tmp_path / "src", files, f'text_kind = "verbatim"\n{mode}')
    _, rows, rejections = run(source, tmp_path / "store")
    if isinstance(wanted, str):
        assert [r["check"] for r in rejections] == [wanted]
        return
    row = next(r for r in rows if r["text"] == "hello")
    stored, _ = soundfile.read(io.BytesIO(row["audio"]["bytes"]), dtype="int16")
    assert set(stored) == {wanted}


def test_split_channels_with_a_transcript_that_names_them(tmp_path: Path) -> None:
    left, right = np.full(4 * RATE_HZ, 3000, dtype=np.int16), np.full(4 * RATE_HZ, 2000, dtype=np.int16)
    text = "call A ann 0.0 2.0 hello there\ncall B bob 1.0 3.0 good day\n"
    files = {"call.wav": audio(np.stack([left, right], axis=1)), "call.stm": text}
    _, rows, _ = run(write(tmp_path / "src", files, 'channel_mode = "split"\n'), tmp_path / "store")
    levels = {
        r["speaker_id"]: set(soundfile.read(io.BytesIO(r["audio"]["bytes"]), dtype="int16")[0]) for r in rows
    }
    assert levels == {"ann": {3000}, "bob": {2000}}


# --- 13 memory --------------------------------------------------------------------------------------------


_CHILD = """
import resource, sys
from pathlib import Path
from corpora.refresh.plan import RefreshRequest
from corpora.refresh.stage import refresh
small, big, store = map(Path, sys.argv[1:])
refresh(RefreshRequest("donated", (small,), store=store))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
said = refresh(RefreshRequest("donated", (big,), store=store))
print(said["utterances"], before, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["flac", "wav"])
def test_13_memory_is_bounded_for_a_recording_of_three_hours(kind: str, tmp_path: Path) -> None:
    files = {"p.wav": audio(sound(3)), "p.srt": srt((0, 2, "Hello."))}
    small = write(tmp_path / "small", files, 'text_kind = "verbatim"\n')
    big = write(tmp_path / "big", {}, None)
    big.mkdir()
    block = sound(60, 3)
    with soundfile.SoundFile(big / f"q.{kind}", "w", RATE_HZ, 1, "PCM_16") as out:
        for _ in range(180):
            out.write(block)
    texts = [(at, at + 2.0, f"Sentence {'abcdefghij'[at % 10]}.") for at in range(0, 3 * 3600 - 10, 600)]
    (big / "q.srt").write_bytes(srt(*texts))
    (big / "donation.toml").write_text(HEAD.replace("gift", "long") + 'text_kind = "verbatim"\n')
    command = [sys.executable, "-c", _CHILD, str(small), str(big), str(tmp_path / "store")]
    done = subprocess.run(
        command, check=True, capture_output=True, text=True, env={**os.environ, "TMPDIR": str(tmp_path)}
    )
    utterances, before_kib, after_kib = (int(word) for word in done.stdout.split())
    assert utterances > 0
    assert after_kib - before_kib < 80 * 1024  # the samples alone are 345 MB
