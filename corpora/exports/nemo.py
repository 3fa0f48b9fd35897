"""NeMo's form: one JSON line an utterance (`audio_filepath`, `duration`, `text`), sound as FLAC beside it.

Paths are relative to the manifest's folder, which NeMo resolves. Further fields (speaker, lang, id) are
carried along; NeMo passes over what it does not know.
"""

from __future__ import annotations

import json
from pathlib import Path

from corpora.exports._files import Rows, write_flac
from store.corpus import Corpus


def write(corpus: Corpus, splits: list[Rows], folder: Path) -> None:
    """`<split>.jsonl` and `audio/<split>/…` into an empty folder."""
    for rows in splits:
        place = folder / "audio" / rows.split
        place.mkdir(parents=True)
        with (folder / f"{rows.split}.jsonl").open("w", encoding="utf-8") as stream:
            for row in rows:
                line = {
                    "audio_filepath": str(write_flac(row, place).relative_to(folder)),
                    "duration": round(row["duration_s"], 6),
                    "text": row["text"],
                    "utterance_id": row["utterance_id"],
                    "speaker": row["speaker_id"],
                    "lang": row["language"],
                }
                stream.write(json.dumps(line, ensure_ascii=False) + "\n")
