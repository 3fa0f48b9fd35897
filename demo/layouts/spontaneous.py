"""Common Voice's spontaneous speech (release 3): `sps-corpus-3.0-2026-03-09-en/` with `audios/*.mp3` and one table.

Clips are 48 kHz mono MP3. After the rows of train, dev and test come two of `unassigned`: one that nobody has transcribed
and one whose transcription waits to be reviewed. A reported recording stands in a table of its own. No defects.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from demo.layouts import RATE_HZ, Placed, SpokenUtterance, Written, files
from demo.layouts.common_voice import CLIP_RATE_HZ, sentence

RELEASE = "sps-corpus-3.0-2026-03-09"
COLUMNS = (
    "client_id", "audio_id", "audio_file", "duration_ms", "prompt_id", "prompt", "transcription", "votes", "age", "gender",
    "accents", "variant", "language", "prompt_upvotes", "prompt_reports", "is_edited", "split", "char_per_sec",
    "quality_tags",
)  # fmt: skip
_REPORTED = (
    "client_id", "audio_id", "audio_file", "duration_ms", "prompt_id", "prompt", "reason", "comment", "language",
)  # fmt: skip
_GENDER = {"m": "male_masculine", "f": "female_feminine"}


def write(root: Path, utterances: Sequence[SpokenUtterance]) -> Written:
    """Write `root/sps-corpus-3.0-2026-03-09-en` and say where everything went."""
    target = root / f"{RELEASE}-en"
    clients = {name: hashlib.sha512(name.encode()).hexdigest() for name in files.speaker_order(utterances)}
    placed: list[Placed] = []
    rows: list[str] = []
    with files.building(target) as partial:
        for index, item in enumerate(utterances):
            clip, text = f"spontaneous-speech-en-{index + 1}.mp3", sentence(item.text, index)
            _write_clip(partial, clip, item)
            rows.append(_row(clients[item.speaker], index + 1, item, (text, item.split)))
            placed.append(Placed(index, f"audios/{clip}", 0, 0.0, len(item.samples) / RATE_HZ, text))
        model, last = utterances[0], len(utterances)
        for number, text in enumerate(("", "Waits for a second pair of ears."), last + 1):
            _write_clip(partial, f"spontaneous-speech-en-{number}.mp3", model)
            rows.append(_row(clients[model.speaker], number, model, (text, "unassigned")))
        files.write_text(partial / "ss-corpus-en.tsv", ["\t".join(COLUMNS), *rows])
        told = (
            clients[model.speaker], str(last + 3), f"spontaneous-speech-en-{last + 3}.mp3", "900", "7", "What is that?",
            "other", "", "English",
        )  # fmt: skip
        files.write_text(partial / "ss-reported-audios-en.tsv", ["\t".join(_REPORTED), "\t".join(told)])
        _write_clip(partial, f"spontaneous-speech-en-{last + 3}.mp3", model)
        files.write_text(partial / "README.md", ["# Spontaneous Speech, English"])
    return Written(target, tuple(placed), (), clients)


def _write_clip(partial: Path, clip: str, item: SpokenUtterance) -> None:
    files.write_audio(partial / "audios" / clip, files.resample(item.samples, CLIP_RATE_HZ), CLIP_RATE_HZ)


def _row(client: str, number: int, item: SpokenUtterance, told: tuple[str, str]) -> str:
    text, split = told
    length_s = len(item.samples) / RATE_HZ
    tags = "short-audio" if length_s < 2 else ""
    return "\t".join(
        (
            client, str(number), f"spontaneous-speech-en-{number}.mp3", str(round(1000 * length_s)), "7",
            "What did you do today?", text, "2" if split != "unassigned" else "0", "", _GENDER.get(item.gender, ""), "", "",
            "English", "3", "0", "0", split, f"{len(text) / length_s:.2f}", tags,
        )
    )  # fmt: skip
