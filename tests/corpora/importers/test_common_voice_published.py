"""What an import of Common Voice must do where it needs real clips; the tables' part is in test_common_voice."""

from __future__ import annotations

import shutil
import tarfile
from pathlib import Path
from typing import Any

import pytest

from corpora.refresh.plan import RefreshRequest
from corpora.refresh.stage import refresh
from demo.layouts import Written, common_voice, tones
from store.opening import open_store

UTTERANCES = tones.utterances(speakers_per_split=2, each=2)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Written:
    """An invented release 6.1."""
    return common_voice.write(tmp_path_factory.mktemp("source"), UTTERANCES)


@pytest.fixture
def copy(written: Written, tmp_path: Path) -> Path:
    """A copy to damage."""
    return Path(shutil.copytree(written.path, tmp_path / written.path.name))


def imported(source: Path, store: Path) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    said = refresh(RefreshRequest("common_voice", (source,), store=store))
    return said, {
        row["source_path"]: row for row in open_store(store).corpus("common_voice").rejections().to_pylist()
    }


def clip_of(copy: Path, number: int) -> Path:
    return sorted((copy / "en" / "clips").iterdir())[number]


@pytest.mark.parametrize(
    ("damage", "check", "words"),
    [
        (b"", "audio_empty", "0 bytes"),
        (0.5, "audio_truncated", "frames"),
        (b"<!DOCTYPE html><html><body>Not found</body></html>", "audio_unreadable", "HTML page"),
        (None, "audio_missing", "not in the source"),
    ],
    ids=["zero bytes", "truncated", "html", "missing"],
)
def test_03_every_kind_of_broken_clip_has_its_reason(
    copy: Path, tmp_path: Path, damage: bytes | float | None, check: str, words: str
) -> None:
    clip = clip_of(copy, 0)
    if damage is None:
        clip.unlink()
    else:
        data = clip.read_bytes()
        clip.write_bytes(data[: int(len(data) * damage)] if isinstance(damage, float) else damage)
    said, rejections = imported(copy, tmp_path / "store")
    assert said["rejected"] == {check: 1}
    (reason,) = [row["reason"] for row in rejections.values()]
    assert words in reason and clip.name in reason


def test_08_a_clip_shorter_than_stated_is_refused_and_a_longer_one_flagged(
    copy: Path, tmp_path: Path
) -> None:
    lengths = {
        clip_of(copy, number).name: round(1000 * len(item.samples) / 16000)
        for number, item in enumerate(UTTERANCES)
    }
    first, second = list(lengths)[:2]
    lengths[first] += 700
    lengths[second] -= 700
    lines = ["clip\tduration[ms]", *(f"{clip}\t{length}" for clip, length in lengths.items())]
    (copy / "en" / "clip_durations.tsv").write_text("\n".join(lines) + "\n")
    said, rejections = imported(copy, tmp_path / "store")
    assert said["rejected"] == {"audio_truncated": 1}
    assert "the release states" in rejections[f"en/clips/{first}"]["reason"]
    rows = [
        row
        for batch in open_store(tmp_path / "store").corpus("common_voice").batches()
        for row in batch.to_pylist()
    ]
    assert [row["utterance_id"] for row in rows if "longer_than_stated" in row["flags"]] == [
        second.removesuffix(".mp3")
    ]


def test_11_clips_are_read_from_a_tar_without_a_file_each(written: Written, tmp_path: Path) -> None:
    packed = tmp_path / "cv.tar"
    with tarfile.open(packed, "w") as tar:
        tar.add(written.path, written.path.name)
    said, _ = imported(packed, tmp_path / "store")
    plain, _ = imported(written.path, tmp_path / "plain")
    assert said["utterances"] == plain["utterances"] == len(UTTERANCES)
    assert not list(tmp_path.rglob("*.mp3"))
