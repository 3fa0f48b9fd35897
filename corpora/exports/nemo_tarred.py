"""NeMo's tarred form: per split a manifest beside tars of FLAC, for `is_tarred: true` in NeMo's configuration.

    <split>/tarred_audio_manifest.json    <split>/audio_0.tar …    README.md

A line of the manifest names its file in the tar, its tar (`shard_id`) and its text. Names in the tars have no folder and
no dot but the one before `flac`, because NeMo takes all before the first dot for the name. No time stands in a tar.
"""

from __future__ import annotations

import itertools
import json
import tarfile
from pathlib import Path
from typing import Any

from corpora.exports._files import Row, Rows, add_to_tar, file_name
from corpora.exports.huggingface import card
from store.corpus import Corpus

_SOUNDS_PER_TAR = 1000


def write(corpus: Corpus, splits: list[Rows], folder: Path) -> None:
    """Manifest and tars by split, and the card that names licence and language, into an empty folder."""
    for rows in splits:
        place = folder / rows.split
        place.mkdir()
        waiting, number = iter(rows), 0
        with (place / "tarred_audio_manifest.json").open("w", encoding="utf-8") as manifest:
            while batch := [*itertools.islice(waiting, _SOUNDS_PER_TAR)]:
                with tarfile.open(place / f"audio_{number}.tar", "w", format=tarfile.GNU_FORMAT) as packed:
                    for row in batch:
                        line = _line(row, number)
                        add_to_tar(packed, line["audio_filepath"], row["audio"]["bytes"])
                        manifest.write(json.dumps(line, ensure_ascii=False) + "\n")
                number += 1
    about = card(corpus, [rows.split for rows in splits], "{split}/*")
    (folder / "README.md").write_text(about, "utf-8")


def _line(row: Row, number: int) -> dict[str, Any]:
    return {
        "audio_filepath": file_name(row["utterance_id"], ".flac", dots=False),
        "duration": row["num_samples"] / row["sample_rate_hz"],
        "text": row["text"],
        "shard_id": number,
        "utterance_id": row["utterance_id"],
        "speaker": row["speaker_id"],
        "lang": row["language"],
        "gender": row["gender"],
        "subset": row["subset"],
        "licence": row["licence"],
    }
