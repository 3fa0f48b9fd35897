"""What tables and JSON rows share: which column means what, and a row as a cue.

Rows are recognised by the names of their columns (DeepSpeech's CSV, NeMo's JSONL, Common Voice's TSV, and what
people call them otherwise). `duration` with a start gives the end; without one it is the length of the whole
recording and no times.
"""

from __future__ import annotations

from collections.abc import Mapping

from corpora.formats.cues import Cue

MEANINGS = {
    "recording": ("audio", "path", "wav_filename", "audio_filepath", "audio_file", "file", "filename", "wav"),
    "text": ("text", "transcript", "sentence", "transcription"),
    "start": ("start", "begin", "start_s", "start_time", "offset"),
    "end": ("end", "stop", "end_s", "end_time"),
    "duration": ("duration", "duration_s"),
    "voice": ("speaker", "client_id", "speaker_id"),
    "language": ("lang", "language", "locale"),
    "licence": ("licence", "license"),
    "gender": ("gender", "sex"),
    "channel": ("channel",),
}


def column_map(names: list[str]) -> dict[str, str]:
    """Meaning → column name, of the columns whose names are known; the first in the list of names wins."""
    plain = {name.strip().lower(): name for name in reversed(names)}
    found = {}
    for meaning, synonyms in MEANINGS.items():
        column = next((plain[name] for name in synonyms if name in plain), None)
        if column is not None:
            found[meaning] = column
    return found


def is_table(columns: Mapping[str, str]) -> bool:
    """Whether rows with these columns pair sound and text."""
    return "recording" in columns and "text" in columns


def row_cue(number: int, row: Mapping[str, object], columns: Mapping[str, str]) -> Cue:
    """A row as a cue; what cannot be read is its problem."""
    said = {m: str(row[c]).strip() for m, c in columns.items() if row.get(c) is not None}
    recording, text = said.get("recording", ""), said.get("text", "")
    if not recording:
        return Cue(number, problem="no recording is named in this row", text=text)
    start_s = end_s = None
    try:
        if said.get("start"):
            start_s = float(said["start"])
            if said.get("end"):
                end_s = float(said["end"])
            elif said.get("duration"):
                end_s = start_s + float(said["duration"])
            else:
                raise ValueError("a start without end or duration")
        channel = int(said["channel"]) if said.get("channel") else None
    except ValueError as error:
        return Cue(number, problem=f"times that cannot be read: {error}", text=text, recording=recording)
    return Cue(
        number,
        start_s,
        end_s,
        text,
        recording=recording,
        channel=channel,
        voice=said.get("voice") or None,
        gender=said.get("gender") or None,
        language=said.get("language") or None,
        licence=said.get("licence") or None,
    )
