"""SegLST and other JSON: a list of objects, or one object a line (also NeMo's manifests).

    [{"session_id": "s1", "speaker": "A", "start_time": 0.5, "end_time": 2.0, "words": "hello world"}]

The text is the first of `words text transcript transcription sentence` (for hypotheses `pred_text hypothesis
prediction` come first), the id of `utterance_id id key audio_filepath`. Other keys are passed over.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from scoring.errors import ScoringError
from scoring.transcripts import Segment, Transcripts, folded

_TEXT = ("words", "text", "transcript", "transcription", "sentence", "reference")
_HEARD = ("pred_text", "hypothesis", "prediction", "pred")
_ID = ("utterance_id", "id", "key", "audio_filepath", "audio")
_SESSION = ("session_id", "recording_id", "recording")


def read(path: Path, text: str, fold: str, hypothesis: bool = False) -> Transcripts:
    """The file's utterances in its order.

    Raises:
        ScoringError: it is no JSON, or an object has no text.
    """
    keys = (*_HEARD, *_TEXT) if hypothesis else _TEXT
    segments = []
    for number, item in enumerate(_objects(path, text), 1):
        if not isinstance(item, Mapping):
            raise ScoringError(f"{path} entry {number} is {type(item).__name__}, not an object")
        said = next((item[key] for key in keys if isinstance(item.get(key), str)), None)
        if said is None:
            raise ScoringError(f"{path} entry {number} has no text: none of its keys is {', '.join(keys)}")
        segments.append(_segment(path, number, item, folded(said, fold)))
    return Transcripts(path, "json", segments)


def _objects(path: Path, text: str) -> list[Any]:
    stripped = text.lstrip()
    try:
        if stripped.startswith("["):
            found = json.loads(stripped)
            return list(found)
        if stripped.startswith("{") and "\n{" not in stripped.replace("\r", ""):
            whole = json.loads(stripped)
            lists = [value for value in whole.values() if isinstance(value, list)]
            return lists[0] if len(lists) == 1 else [whole]
        return [json.loads(line) for line in text.split("\n") if line.strip()]
    except ValueError as error:
        raise ScoringError(f"{path} is no JSON: {error}") from None


def _segment(path: Path, number: int, item: Mapping[str, Any], said: str) -> Segment:
    try:
        start_s = float(item.get("start_time", item.get("start", 0.0)) or 0.0)
        end_s = float(item.get("end_time", item.get("end", 0.0)) or 0.0)
    except (TypeError, ValueError):
        raise ScoringError(f"{path} entry {number}: start_time or end_time is no number of seconds") from None
    recording = str(next((item[key] for key in _SESSION if key in item), ""))
    speaker = str(item.get("speaker", item.get("speaker_id", "")) or "")
    name = next((str(item[key]) for key in _ID if key in item), "")
    if not name:
        name = f"{recording}-{start_s:.3f}-{end_s:.3f}-{speaker}" if recording else str(number)
    return Segment(name, said, speaker or "all", recording, "1", start_s, end_s)
