"""Every corpus from its own layout to published rows: exact sound, text, speaker, channel, defects."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import soundfile

from corpora.refresh.plan import RefreshRequest
from corpora.refresh.stage import refresh
from demo.layouts import (
    Defects,
    Placed,
    Written,
    common_voice,
    donated,
    files,
    fisher,
    librispeech,
    switchboard,
    tedlium,
    tones,
)
from native import sphere

LAYOUTS = {
    "librispeech": librispeech,
    "tedlium": tedlium,
    "fisher": fisher,
    "switchboard": switchboard,
    "common_voice": common_voice,
    "donated": donated,
}
OFFICIAL = ("librispeech", "tedlium", "common_voice")
UTTERANCES = tones.utterances(speakers_per_split=2, each=2)
CHECKS = {
    "truncated_audio": "audio_truncated",
    "bad_time": "bad_times",
    "odd_token": "unknown_tag",
    "missing_audio": "audio_missing",
}
STRICT = {"truncated_audio": "audio_corrupt", "odd_token": "bad_chars"}  # FLAC without its end; letters only


@dataclass(frozen=True)
class Imported:
    """A layout, what `refresh` said of it, and the rows it published."""

    name: str
    written: Written
    said: dict[str, Any]
    rows: list[dict[str, Any]]
    rejections: list[dict[str, Any]]

    def row_of(self, place: Placed) -> dict[str, Any]:
        if self.name == "common_voice":
            (row,) = [row for row in self.rows if row["utterance_id"] == Path(place.path).stem]
        else:
            digest = hashlib.sha256(sound_at(self.written, place).astype("<i2").tobytes()).hexdigest()
            (row,) = [row for row in self.rows if row["audio_sha256"] == digest]
        return row


def sound_at(written: Written, place: Placed) -> np.ndarray:
    """The int16 samples at a place, cut with soundfile and not with our own readers (it knows no shorten)."""
    if written.path.suffix == ".zip":
        with zipfile.ZipFile(written.path) as zipped:
            file: Any = io.BytesIO(zipped.read(place.path))
    else:
        file = written.path / place.path
    if isinstance(file, Path) and b"embedded-shorten" in file.read_bytes()[:1024]:
        samples, rate = sphere.read(file), int(sphere.info(file)["sample_rate_hz"])
    else:
        samples, rate = soundfile.read(file, dtype="int16", always_2d=True)
    return samples[round(place.start_s * rate) : round(place.end_s * rate), place.channel]


def run(
    name: str, source: Path, store: Path
) -> tuple[dict[str, Any], list[dict[str, Any]], list[dict[str, Any]]]:
    request = RefreshRequest(
        importer=name, sources=(source,), name=name, donation=None, store=store, workers=1
    )
    said = refresh(request)
    path = Path(said["path"])
    shards = sorted(path.glob("*/part-*.parquet"))
    rows = [row for shard in shards for row in pq.read_table(shard).to_pylist()]
    return said, rows, pq.read_table(path / "rejections.parquet").to_pylist()


@pytest.fixture(scope="module", params=LAYOUTS)
def imported(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Imported:
    folder = tmp_path_factory.mktemp(request.param)
    layout: ModuleType = LAYOUTS[request.param]
    written: Written = layout.write(folder / "source", UTTERANCES, Defects.one_of_each())
    return Imported(request.param, written, *run(request.param, written.path, folder / "store"))


def test_every_utterance_arrives_once_with_its_text_and_exact_sound(imported: Imported) -> None:
    assert len(imported.rows) == imported.said["utterances"] == len(UTTERANCES)
    for place in imported.written.placed:
        row, spoken = imported.row_of(place), UTTERANCES[place.index]
        assert row["text"] == spoken.text
        assert row["text_raw"].startswith(place.text)
        assert row["channel"] == place.channel
        stored, rate = soundfile.read(io.BytesIO(row["audio"]["bytes"]), dtype="int16")
        assert (len(stored), rate) == (row["num_samples"], row["sample_rate_hz"])
        if imported.name != "common_voice":
            assert np.array_equal(stored, sound_at(imported.written, place))
            assert row["duration_s"] == pytest.approx(place.end_s - place.start_s, abs=1e-9)


def test_the_sound_is_the_speakers_own_on_both_channels(imported: Imported) -> None:
    for place in imported.written.placed:
        stored, rate = soundfile.read(io.BytesIO(imported.row_of(place)["audio"]["bytes"]))
        loudest_hz = np.abs(np.fft.rfft(stored)).argmax() * rate / len(stored)
        speaker = int(UTTERANCES[place.index].speaker.split()[1])
        assert loudest_hz == pytest.approx(tones.pitch_hz(speaker), abs=3)


def test_speakers_genders_and_splits(imported: Imported) -> None:
    speakers: dict[str, set[str]] = {}
    splits: dict[str, set[str]] = {}
    for place in imported.written.placed:
        row, spoken = imported.row_of(place), UTTERANCES[place.index]
        speakers.setdefault(row["speaker_id"], set()).add(spoken.speaker)
        splits.setdefault(row["speaker_id"], set()).add(row["split"])
        if imported.name != "donated":
            assert row["gender"] == spoken.gender
        if imported.name in OFFICIAL:
            assert row["split"] == spoken.split
        if imported.name in ("librispeech", "tedlium", "fisher", "switchboard"):
            assert row["speaker_id"] == imported.written.speakers[spoken.speaker]
    assert all(len(names) == 1 for names in speakers.values())
    assert len(speakers) == len({spoken.speaker for spoken in UTTERANCES})
    assert all(len(found) == 1 for found in splits.values())


def test_exactly_the_planted_defects_are_rejected_at_their_place(imported: Imported) -> None:
    checks = CHECKS | STRICT if imported.name == "librispeech" else CHECKS
    wanted = Counter({checks[kind]: rows for kind, rows in imported.written.rows_lost().items()})
    assert Counter(rejection["check"] for rejection in imported.rejections) == wanted
    assert imported.said["rejected"] == dict(wanted)
    found = {(rejection["source_path"], rejection["line"]) for rejection in imported.rejections}
    for planted in imported.written.planted:
        if planted.kind in ("bad_time", "odd_token"):
            assert any(path.endswith(planted.path) and line == planted.line for path, line in found)
    assert all(rejection["reason"] for rejection in imported.rejections)


def test_the_manifest_balances_and_names_the_licence(imported: Imported) -> None:
    manifest = json.loads((Path(imported.said["path"]) / "manifest.json").read_text(encoding="utf-8"))
    items = manifest["items"]
    assert items["input"] == items["accepted"] + items["rejected"] + items["ignored"]
    assert items["accepted"] == len(UTTERANCES)
    assert items["rejected"] == len(imported.rejections)
    assert len(manifest["licences"]) == 1


@pytest.mark.parametrize(
    ("name", "suffix"),
    [
        ("librispeech", ".zip"),
        ("tedlium", ".tar.gz"),
        ("fisher", ".tar"),
        ("switchboard", ".zip"),
        ("common_voice", ".tar.gz"),
    ],
)
def test_an_archive_gives_the_same_rows_as_its_directory(name: str, suffix: str, tmp_path: Path) -> None:
    written: Written = LAYOUTS[name].write(tmp_path, UTTERANCES, Defects.one_of_each())
    archive = files.pack(written.path, tmp_path / f"archive{suffix}")
    kept = ("utterance_id", "speaker_id", "split", "text", "audio_sha256", "channel")
    tables = []
    for source in (written.path, archive):
        _, rows, rejections = run(name, source, tmp_path / f"store-{source.suffix}")
        tables.append(
            (
                sorted(tuple(row[column] for column in kept) for row in rows),
                sorted((rejection["check"], rejection["line"] or 0) for rejection in rejections),
            )
        )
    assert tables[0] == tables[1]


def test_a_real_two_channel_sphere_file_is_cut_side_by_side(real_data: Path, tmp_path: Path) -> None:
    real = real_data / "sphere" / "lhotse_stereo.sph"
    if not real.is_file():
        pytest.skip("no real SPHERE files here")
    samples, rate = soundfile.read(real, dtype="int16")
    source = tmp_path / "source"
    source.mkdir()
    (source / "fe_03_00001.sph").write_bytes(real.read_bytes())
    (source / "fe_03_00001.txt").write_text("0.10 0.90 A: oh no\n0.25 0.85 B: yes\n", encoding="utf-8")
    _, rows, rejections = run("fisher", source, tmp_path / "store")
    assert rejections == []
    for row in rows:
        stored, _ = soundfile.read(io.BytesIO(row["audio"]["bytes"]), dtype="int16")
        start, end = round(row["source_start_s"] * rate), round(row["source_end_s"] * rate)
        assert np.array_equal(stored, samples[start:end, row["channel"]])
    assert {row["channel"] for row in rows} == {0, 1}
