"""An alignment as files that others read: WebVTT with the voice's name, JSON rows, and a donation for the importer.

The importer `donated` reads the VTT beside a recording of the same name; a cue is a segment. Writes under a temporary
name first. Aligns nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from store.writing import canonical_json, write_bytes_atomic, write_json_atomic


def vtt_text(answer: dict[str, Any], speaker: str = "") -> str:
    """The segments as WebVTT, each by the voice `speaker` where one is named."""
    voice = f"<v {_plain(speaker)}>" if speaker else ""
    cues = [
        f"{_clock(one['start_s'])} --> {_clock(one['end_s'])}\n{voice}{_plain(one['text'])}\n"
        for one in answer["segments"]
    ]
    return "WEBVTT\n\n" + "\n".join(cues)


def rows_text(answer: dict[str, Any]) -> str:
    """The segments as JSON lines of the kind NeMo's manifests are."""
    rows = [
        {
            "audio_filepath": Path(answer["sound"]).name,
            "offset": one["start_s"],
            "duration": round(one["end_s"] - one["start_s"], 3),
            "text": one["text"],
        }
        for one in answer["segments"]
    ]
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def write_alignment(answer: dict[str, Any], folder: Path, stem: str, speaker: str = "") -> Path:
    """`<stem>.vtt`, `<stem>.jsonl` and, last, the certificate `<stem>.alignment.json`; its path.

    What is `withheld` stands in the certificate only, so that no importer finds it.

    Raises:
        StoreError: the disk is full or the like.
    """
    shown = {**answer, "segments": []} if answer.get("withheld") else answer
    write_bytes_atomic(folder / f"{stem}.vtt", vtt_text(shown, speaker).encode())
    write_bytes_atomic(folder / "rows" / f"{stem}.jsonl", rows_text(shown).encode())
    target = folder / "certificates" / f"{stem}.alignment.json"
    write_json_atomic(target, answer)
    return target


def already_aligned(target: Path, inputs: dict[str, Any]) -> dict[str, Any] | None:
    """The certificate that is there, if it was made from these very inputs."""
    try:
        found: dict[str, Any] = json.loads(target.read_bytes())
    except (OSError, ValueError):
        return None
    return found if canonical_json(found.get("inputs")) == canonical_json(inputs) else None


def aligned_name(name: str) -> str:
    """The corpus that aligned recordings of the corpus `name` become: those that had times from the start stay apart."""
    return f"{name[:56]}-aligned"


def donation_text(manifest: Mapping[str, Any]) -> str:
    """A donation.toml for aligned recordings: what is known of the corpus they waited in."""
    return (
        "# Written by `python -m training align`: recordings with the times of their text beside them.\n"
        f"name = {json.dumps(aligned_name(manifest['corpus']))}\n"
        f"donor = {json.dumps(manifest.get('donor') or manifest['corpus'])}\n"
        f"licence = {json.dumps(manifest.get('licence') or '')}\n"
        f"language = {json.dumps(manifest.get('language') or 'en')}\n"
        'text_kind = "verbatim"\ntiming = "cue"\nspeaker_rule = "voice"\nnumbers = "spell"\n'
        'exclude = ["certificates/*", "rows/*"]\n'
    )


def _plain(text: str) -> str:
    """Text that no reader of cues takes for markup."""
    return " ".join(text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").split())


def _clock(seconds: float) -> str:
    whole = round(seconds * 1000)
    hours, rest = divmod(whole, 3_600_000)
    minutes, rest = divmod(rest, 60_000)
    return f"{hours:02d}:{minutes:02d}:{rest // 1000:02d}.{rest % 1000:03d}"
