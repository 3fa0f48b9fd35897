"""Recordings whose text has no times: set aside whole, with the text, until somebody aligns them.

    needs_alignment/catalog.json     entries {audio, script, aligned, tlog, …}, paths relative to this file
    needs_alignment/audio/<id>.flac  mono, at most 16 kHz      needs_alignment/scripts/<id>.txt  the text as given

They lie in quarantine: neither lm nor training ever looks there. Sound is written piece by piece, so that its
length does not matter. Aligning itself is not done here.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import soundfile
import soxr

from corpora.audio.clip import channel_samples
from corpora.audio.recording import STORED_RATE_HZ, Recording, to_int16
from corpora.donations.quarantine import release
from corpora.importer import RawSegment
from corpora.versions.withdrawals import withdrawn_donors
from store.store import Store
from store.versions import publish_version, version_of
from store.writing import explain_write, place_file, sha256_file, write_json_atomic

FOLDER = "needs_alignment"
_BLOCK_S = 60
_FLAC_LEVEL = 0.625  # libFLAC level 5


def waits(segment: RawSegment, recording: Recording, longest_s: float) -> bool:
    """Whether a segment's text must be aligned before anybody learns from it."""
    untimed = "untimed" in segment.flags
    return "needs_alignment" in segment.flags or (untimed and recording.duration_s > longest_s)


def set_aside(folder: Path, segment: RawSegment, recording: Recording) -> None:
    """Write the sound and the text of a whole recording below `folder/needs_alignment`.

    Raises:
        AudioError: the channel is not in it, or it is not clear which one speaks.
    """
    place = folder / FOLDER
    name = segment.utterance_id.replace("/", "~")
    rate_hz = min(recording.sample_rate_hz, STORED_RATE_HZ)
    with explain_write(place):
        (place / "audio").mkdir(parents=True, exist_ok=True)
        (place / "scripts").mkdir(exist_ok=True)
        (place / "scripts" / f"{name}.txt").write_text(segment.text_raw, encoding="utf-8")
        path = place / "audio" / f"{name}.flac"
        with soundfile.SoundFile(
            path, "w", rate_hz, 1, "PCM_16", format="FLAC", compression_level=_FLAC_LEVEL
        ) as out:
            frames = 0
            for block in _mono(recording, segment.audio.channel):
                out.write(block)
                frames += len(block)
        entry = {
            "audio": f"audio/{name}.flac",
            "script": f"scripts/{name}.txt",
            "tlog": None,
            "aligned": None,
            "recording_id": segment.recording_id,
            "speaker_id": segment.speaker_id,
            "language": segment.language,
            "licence": segment.licence,
            "donor_id": segment.donor_id,
            "source_path": segment.audio.member,
            "transcript_path": segment.source_path,
            "duration_s": frames / rate_hz,
            "sha256": sha256_file(path),
        }
        with (place / "entries.jsonl").open("a", encoding="utf-8") as lines:
            lines.write(json.dumps(entry, sort_keys=True, ensure_ascii=False) + "\n")


def _mono(recording: Recording, channel: int) -> Iterator[npt.NDArray[np.int16]]:
    """The recording in pieces, one channel, at most 16 kHz."""
    rate_hz = recording.sample_rate_hz
    resampler = None
    if rate_hz > STORED_RATE_HZ:
        resampler = soxr.ResampleStream(rate_hz, STORED_RATE_HZ, 1, dtype="float32", quality="HQ")
    step, total = _BLOCK_S * rate_hz, len(recording.samples)
    for start in range(0, total, step):
        block = channel_samples(recording.samples[start : start + step], channel)
        if resampler is None:
            yield block
        else:
            real = block.astype(np.float32) / 32768.0
            yield to_int16(resampler.resample_chunk(real, last=start + step >= total))


def gather(groups: list[Path], target: Path, withdrawn: list[str]) -> dict[str, Any] | None:
    """Collect what the groups set aside into `target/needs_alignment`; totals, or None where nothing waits.

    Args:
        withdrawn: donors or speakers who took their recordings back.
    """
    entries = []
    for group in groups:
        place = group / FOLDER
        if not (place / "entries.jsonl").is_file():
            continue
        for line in (place / "entries.jsonl").read_text(encoding="utf-8").splitlines():
            entry = json.loads(line)
            if {entry["donor_id"], entry["speaker_id"]} & set(withdrawn):
                continue
            for key in ("audio", "script"):
                to = target / FOLDER / entry[key]
                place_file(place / entry[key], to)
            entries.append(entry)
    if not entries:
        return None
    entries.sort(key=lambda entry: str(entry["audio"]))
    write_json_atomic(target / FOLDER / "catalog.json", entries)
    hours = round(sum(entry["duration_s"] for entry in entries) / 3600, 6)
    return {
        "recordings": len(entries),
        "hours": hours,
        "catalog_sha256": sha256_file(target / FOLDER / "catalog.json"),
    }


def collect_waiting(
    store: Store, plan: Mapping[str, Any], manifest: Mapping[str, Any], places: tuple[list[Path], Path]
) -> dict[str, Any] | None:
    """What the groups set aside: with the corpus where that is in quarantine itself, else a version there.

    Args:
        manifest: that of the corpus, without its version.
        places: the folders of the groups, and the folder in which the corpus is built.

    Returns:
        recordings, hours, catalog_sha256, path; None where nothing waits.
    """
    groups, built = places
    quarantined = bool(plan["facts"]["quarantine"])
    staged = built if quarantined else built.with_name("waiting")
    shutil.rmtree(built.with_name("waiting"), ignore_errors=True)
    totals = gather(groups, staged, withdrawn_donors(store, plan["name"]))
    if totals is None and not quarantined:
        release(store, plan["name"])
    elif totals is not None and not quarantined:
        return {**totals, "path": str(publish_waiting(store, manifest, staged, totals))}
    return totals


def publish_waiting(store: Store, manifest: Mapping[str, Any], staged: Path, totals: dict[str, Any]) -> Path:
    """Publish what waits as a version of its own in quarantine, beside a corpus that is published.

    Args:
        manifest: that of the corpus; who gave it and under which licence is taken from it.
        staged: the folder `gather` wrote to.
    """
    kept = ("corpus", "importer", "importer_version", "language", "licence", "donor", "sources", "about")
    waiting = {key: manifest[key] for key in kept}
    waiting |= {"kind": FOLDER, "needs_alignment": totals, "quarantine": "text without times"}
    waiting |= {"utterances": 0, "speakers": 0, "hours": totals["hours"], "splits": {}, "shards": []}
    waiting["version"] = version_of(waiting)
    write_json_atomic(staged / "manifest.json", waiting)
    return publish_version(store.quarantine_dir / manifest["corpus"], waiting["version"], staged)
