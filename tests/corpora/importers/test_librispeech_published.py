"""What an import of LibriSpeech must do, point by point, from the archive to the published rows."""

from __future__ import annotations

import hashlib
import io
import shutil
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from corpora.errors import NothingImportedError, SourceError
from corpora.free_archives import FREE_ARCHIVES, FreeArchive
from corpora.importer import ImportOptions, Scan
from corpora.importers.librispeech import OFFICIAL_UTTERANCES, LibriSpeechImporter
from corpora.refresh.plan import RefreshRequest
from corpora.refresh.stage import refresh
from corpora.sources.opening import open_source
from demo.layouts import Defects, librispeech, tones
from store.errors import UsageError
from store.opening import open_store

UTTERANCES = tones.utterances(speakers_per_split=2, each=3)


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The root of an invented LibriSpeech with all three splits."""
    return librispeech.write(tmp_path_factory.mktemp("source"), UTTERANCES).path


@pytest.fixture
def copy(archive: Path, tmp_path: Path) -> Path:
    """A copy to damage."""
    return Path(shutil.copytree(archive, tmp_path / "copy" / "LibriSpeech"))


def imported(
    source: Path, store: Path, name: str | None = None
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    said = refresh(RefreshRequest("librispeech", (source,), name=name, store=store))
    corpus = open_store(store).corpus(said["corpus"])
    return said, [row for batch in corpus.batches() for row in batch.to_pylist()]


def rejected(store: Path) -> dict[str, str]:
    rows = open_store(store).corpus("librispeech").rejections().to_pylist()
    return {row["check"]: row["reason"] for row in rows}


def scan(source: Path, **options: Any) -> Scan:
    return LibriSpeechImporter().scan(open_source([source]), ImportOptions(options=options))


def chapter(root: Path, part: str = "train-clean-100") -> Path:
    """The first chapter's folder of a part."""
    return sorted(root.glob(f"{part}/*/*"))[0]


def test_01_counts_hours_and_speakers_are_exact_and_officials_compared(archive: Path, tmp_path: Path) -> None:
    said, rows = imported(archive, tmp_path)
    assert {split: part["utterances"] for split, part in said["splits"].items()} == {
        "train": 6,
        "dev": 6,
        "test": 6,
    }
    seconds = sum(len(item.samples) for item in UTTERANCES) / 16000
    assert said["hours"] == pytest.approx(seconds / 3600, abs=1e-6)
    assert len({row["speaker_id"] for row in rows}) == 6
    notes = open_store(tmp_path).corpus("librispeech").manifest["notes"]
    assert "dev-clean: 6 of 2703 official recordings, short by 2697" in notes


def test_01_missing_ids_are_listed_and_a_whole_part_is_called_whole(
    copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = sorted(chapter(copy).glob("*-0001.flac"))[0]
    first.unlink()
    assert any(f"missing inside chapters: {first.stem}" in note for note in scan(copy).notes)
    monkeypatch.setitem(OFFICIAL_UTTERANCES, "dev-clean", 6)
    assert "dev-clean: all 6 official recordings are there" in scan(copy).notes
    monkeypatch.setitem(OFFICIAL_UTTERANCES, "dev-clean", 5)
    assert "dev-clean: 6 of 5 official recordings, 1 more than there should be" in scan(copy).notes


def test_02_root_and_part_are_accepted_and_strange_folders_reported(copy: Path, tmp_path: Path) -> None:
    (copy / "dev-clean-processed").mkdir()
    (copy / "dev-clean-processed" / "x.wav").write_bytes(b"left by another tool")
    said, _ = imported(copy, tmp_path / "root")
    assert said["ignored"]["not a file of LibriSpeech"] == 1
    said, _ = imported(copy / "dev-clean", tmp_path / "part")
    assert set(said["splits"]) == {"dev"}


@pytest.mark.parametrize(
    ("damage", "check"),
    [
        ("missing flac", "audio_missing"),
        ("flac without line", "transcript_missing"),
        ("duplicate id", "duplicate_id"),
        ("empty transcript", "empty_text"),
        ("foreign prefix", "id_mismatch"),
        ("reader no number", "bad_layout"),
    ],
)
def test_03_every_oddity_is_a_rejection_of_its_own_and_the_run_goes_on(
    copy: Path, tmp_path: Path, damage: str, check: str
) -> None:
    folder = chapter(copy)
    (transcript,) = folder.glob("*.trans.txt")
    lines = transcript.read_text().splitlines()
    audio = sorted(folder.glob("*.flac"))
    if damage == "missing flac":
        audio[0].unlink()
    elif damage == "flac without line":
        lines = lines[1:]
    elif damage == "duplicate id":
        lines.append(lines[0])
    elif damage == "empty transcript":
        lines[0] = lines[0].split()[0]
    elif damage == "foreign prefix":
        lines.append("9-9-0000 WORDS")
    else:
        folder.parent.rename(copy / "train-clean-100" / "anna")
        transcript = next((copy / "train-clean-100" / "anna").glob("*/*.trans.txt"))
    transcript.write_text("\n".join(lines))
    said, rows = imported(copy, tmp_path / "store")
    assert check in said["rejected"]
    items = said["items"]
    assert items["input"] == items["accepted"] + items["rejected"] + items["ignored"]
    assert len(rows) >= 12


def test_03_nothing_importable_is_told_apart(tmp_path: Path) -> None:
    folder = tmp_path / "LibriSpeech" / "dev-clean" / "1" / "2"
    folder.mkdir(parents=True)
    (folder / "1-2.trans.txt").write_text("1-2-0000 WORDS\n")
    with pytest.raises(NothingImportedError) as caught:
        imported(tmp_path / "LibriSpeech", tmp_path / "store")
    assert caught.value.exit_status == 3


def test_04_a_damaged_flac_is_rejected_in_the_decoders_words(copy: Path, tmp_path: Path) -> None:
    first = sorted(chapter(copy).glob("*.flac"))[0]
    data = bytearray(first.read_bytes())
    data[len(data) // 2] ^= 0xFF
    first.write_bytes(data)
    imported(copy, tmp_path / "store")
    assert "the decoder stopped" in rejected(tmp_path / "store")["audio_corrupt"]


def test_05_a_name_with_the_column_sign_is_read(copy: Path, tmp_path: Path) -> None:
    reader = chapter(copy).parent.name
    (copy / "SPEAKERS.TXT").write_text(f"; id\n{reader} | M | train-clean-100 | 20.18 | |CBW|Simon\n")
    _, rows = imported(copy, tmp_path / "store")
    assert {row["gender"] for row in rows if row["speaker_id"] == reader} == {"m"}


def test_06_a_speaker_in_two_splits_stops_the_corpus(copy: Path, tmp_path: Path) -> None:
    source, target = chapter(copy).parent, copy / "test-clean" / chapter(copy).parent.name
    shutil.copytree(source, target)
    for path in sorted(target.rglob("*.*")):
        path.rename(path.with_name(path.name.replace("-500", "-900")))
    for folder in sorted(target.iterdir()):
        folder.rename(folder.with_name(folder.name.replace("500", "900")))
    for transcript in target.rglob("*.trans.txt"):
        transcript.write_text(transcript.read_text().replace("-500", "-900"))
    said = refresh(RefreshRequest("librispeech", (copy,), store=tmp_path / "store"))
    assert said["published"] is False
    assert [e["name"] for e in said["gate"]["expectations"] if not e["passed"]] != []


def test_07_no_wav_is_ever_written(archive: Path, tmp_path: Path) -> None:
    said, _ = imported(archive, tmp_path)
    assert list(tmp_path.rglob("*.wav")) == []
    written = sum(path.stat().st_size for path in Path(said["path"]).rglob("*.parquet"))
    left = sum(
        path.stat().st_size for path in tmp_path.rglob("*") if path.is_file() and "corpora" not in path.parts
    )
    assert left < 0.2 * written + 200_000, "beside the shards only notes stay on disk"


def test_09_a_tar_gz_is_read_and_a_damaged_one_said(archive: Path, tmp_path: Path) -> None:
    packed = tmp_path / "dev-clean.tar.gz"
    with tarfile.open(packed, "w:gz") as tar:
        tar.add(archive, "LibriSpeech")
    said, _ = imported(packed, tmp_path / "store")
    assert said["utterances"] == 18
    assert not any(path.suffix == ".flac" for path in tmp_path.rglob("*"))
    (tmp_path / "cut.tar.gz").write_bytes(packed.read_bytes()[: packed.stat().st_size // 2])
    said, _ = imported(tmp_path / "cut.tar.gz", tmp_path / "other")
    assert said["utterances"] < 18 and said["rejected"]


def test_09_a_published_archive_is_known_by_its_checksum(
    archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packed = tmp_path / "dev-clean.tar.gz"
    with tarfile.open(packed, "w:gz") as tar:
        tar.add(archive, "LibriSpeech")
    size, digest = packed.stat().st_size, hashlib.md5(packed.read_bytes(), usedforsecurity=False).hexdigest()

    def publish(size_bytes: int, md5: str) -> None:
        known = FreeArchive("dev-clean", "https://x/dev-clean.tar.gz", f"md5:{md5}", size_bytes)
        monkeypatch.setitem(FREE_ARCHIVES, "librispeech", (known,))

    def notes() -> tuple[str, ...]:
        source = open_source([packed], tmp_path / "spill")
        return LibriSpeechImporter().scan(source, ImportOptions()).notes

    publish(size, digest)
    assert "dev-clean.tar.gz has the published checksum" in notes()
    publish(size + 1, digest)
    assert (
        f"dev-clean.tar.gz has {size} bytes, the published one {size + 1}: repacked, not compared" in notes()
    )
    publish(size, "0" * 32)
    with pytest.raises(SourceError, match=f"expected md5:{'0' * 32}, found md5:{digest}"):
        notes()


def test_10_one_part_is_imported_alone(archive: Path, tmp_path: Path) -> None:
    found = scan(archive, parts="dev-clean")
    assert {unit.payload["part"] for unit in found.units} == {"dev-clean"}
    assert {item.reason for item in found.ignored} >= {"of a part that was not asked for"}
    with pytest.raises(UsageError, match="dev-dirty: no part of LibriSpeech; parts are dev-clean"):
        scan(archive, parts=["dev-dirty"])
    with pytest.raises(SourceError, match="holds no LibriSpeech chapter of test-other"):
        scan(archive, parts=["test-other"])


def test_11_raw_text_is_kept_and_strange_letters_are_refused(tmp_path: Path) -> None:
    source = librispeech.write(tmp_path / "s", UTTERANCES, Defects(odd_token=1)).path
    said, rows = imported(source, tmp_path / "store")
    assert said["rejected"] == {"bad_chars": 1}
    for row in rows:
        assert row["text_raw"].isupper()
        assert set(row["text"]) <= set("abcdefghijklmnopqrstuvwxyz' ")


@pytest.mark.parametrize(("rate_hz", "channels", "flag"), [(22050, 1, "resampled"), (16000, 2, "stereo")])
def test_12_another_rate_or_stereo_is_flagged(
    copy: Path, tmp_path: Path, rate_hz: int, channels: int, flag: str
) -> None:
    first = sorted(chapter(copy).glob("*.flac"))[0]
    samples, _ = soundfile.read(first, dtype="int16")
    wide = np.repeat(samples[:, None], channels, axis=1)
    out = io.BytesIO()
    soundfile.write(out, wide, rate_hz, format="FLAC", subtype="PCM_16")
    first.write_bytes(out.getvalue())
    _, rows = imported(copy, tmp_path / "store")
    (row,) = [row for row in rows if row["utterance_id"] == first.stem]
    assert flag in row["flags"]
    assert not any(flag in other["flags"] for other in rows if other is not row)
