"""Decoding several short FLAC files at once: the same recordings, and damage told as if each were alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from corpora.audio import decoding
from corpora.audio import last as opening
from corpora.audio.last import LastRecording, open_recording
from corpora.audio.recording import Recording
from corpora.errors import AudioError
from corpora.importer import AudioRef
from corpora.sources.opening import open_source
from corpora.sources.source import Source
from native import flac


def tone(seed: int, frames: int = 4000) -> bytes:
    draw = np.random.default_rng(seed)
    return flac.encode(np.cumsum(draw.integers(-50, 51, frames)).astype(np.int16), 16_000)


@pytest.fixture
def source(tmp_path: Path) -> Source:
    for at in range(9):
        (tmp_path / f"{at}.flac").write_bytes(tone(at, 3000 + 500 * at))
    torn = bytearray(tone(20))
    torn[len(torn) // 2] ^= 0x10
    (tmp_path / "torn.flac").write_bytes(torn)
    (tmp_path / "cut.flac").write_bytes(tone(21)[:-300])
    (tmp_path / "text.flac").write_bytes(b"this is no sound")
    (tmp_path / "empty.flac").write_bytes(b"")
    return open_source([tmp_path])


def opened(source: Source, name: str, last: LastRecording | None = None) -> object:
    """Everything about a recording, or its error."""
    ref = AudioRef(name)
    try:
        found = open_recording(source, ref) if last is None else last.open(source, ref)
    except AudioError as error:
        return error.check, str(error)
    return found.samples.tobytes(), found.samples.shape, found.sample_rate_hz, found.flac, found.flags


def test_many_at_once_are_what_each_is_alone(source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    names = [member.name for member in source.members()]
    alone = {name: opened(source, name) for name in names}
    one_by_one: list[str] = []
    real = opening.open_recording

    def noted(source: Source, ref: AudioRef) -> Recording:
        one_by_one.append(ref.member)
        return real(source, ref)

    monkeypatch.setattr(opening, "open_recording", noted)
    last = LastRecording()
    last.look_ahead(source, [AudioRef(name) for name in [*names, *names, "gone.flac"]])
    assert {name: opened(source, name, last) for name in names} == alone
    assert one_by_one == ["cut.flac", "empty.flac", "text.flac", "torn.flac"]  # what is refused


def test_what_is_long_or_of_another_source_is_opened_alone(
    source: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    last = LastRecording()
    last.look_ahead(source, [AudioRef("1.flac"), AudioRef("2.flac")])
    other = tmp_path / "other"
    other.mkdir()
    (other / "1.flac").write_bytes(tone(99))
    assert opened(open_source([other]), "1.flac", last) == opened(open_source([other]), "1.flac")
    monkeypatch.setattr(decoding, "AHEAD_BYTES", 2 * 3600)
    files = [source.read_bytes(f"{at}.flac") for at in range(4)]  # 3000, 3500, 4000 and 4500 frames
    assert [found is not None for found in decoding.decode_flacs(files)] == [True, True, False, False]


def test_what_is_forgotten_is_opened_anew(source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    last = LastRecording()
    last.look_ahead(source, [AudioRef("1.flac"), AudioRef("2.flac")])
    last.open(source, AudioRef("1.flac"))
    last.forget()
    asked: list[str] = []
    real = opening.open_recording

    def noted(source: Source, ref: AudioRef) -> Recording:
        asked.append(ref.member)
        return real(source, ref)

    monkeypatch.setattr(opening, "open_recording", noted)
    for name in ("1.flac", "2.flac"):
        last.open(source, AudioRef(name))
    assert asked == ["1.flac", "2.flac"]
