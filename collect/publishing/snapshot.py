"""A campaign as files that the importer `campaign` reads: clips with votes, voices, consent.

    snapshots/<campaign>/campaign.json        name, language, licence, consent texts, voices; written last
    snapshots/<campaign>/clips/<ab>.jsonl     one line a clip, in files by the first two digits of its id
    snapshots/<campaign>/sound/<ab>/<id>.flac accepted clips, second names of the files in sound/

Only what changed is written, and what was withdrawn is removed, so that a refresh does only what is new. Of clips that
wait nothing but the count is told; of withdrawn ones the voice, no text.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from collect.database.tables import Campaign, Clip, Consent, ConsentText, Sentence, Voice, Vote, Withdrawn
from collect.files import SoundFiles
from store.writing import canonical_json, place_file, write_bytes_atomic

FORMAT = 1
_PARTS = [f"{number:02x}" for number in range(256)]


@dataclass(frozen=True)
class Snapshot:
    """Where it lies, and how many clips of each state it tells of."""

    folder: Path
    counts: dict[str, int]


def snapshot_folder(folder: Path, campaign: str) -> Path:
    """Where a campaign's snapshot lies below the service's folder."""
    return folder / "snapshots" / campaign


def write_snapshot(session: Session, campaign: Campaign, folder: Path) -> Snapshot:
    """Bring the snapshot of a campaign up to date.

    Raises:
        StoreError: the disk is full or cannot be written.
    """
    target, sounds = snapshot_folder(folder, campaign.name), SoundFiles(folder)
    rows = _rows(session, campaign)
    parts: dict[str, list[dict[str, Any]]] = {part: [] for part in _PARTS}
    wanted: set[str] = set()
    for row in rows:
        parts[row["clip"][:2]].append({k: v for k, v in row.items() if k != "sound"})
        if row["state"] == "accepted":
            wanted.add(row["clip"])
            place = _sound(target, row["clip"])
            source = sounds.path(campaign.name, row["sound"])
            if source.is_file() and not place.is_file():
                place_file(source, place)
    for path in target.glob("sound/*/*"):
        if path.stem not in wanted:
            path.unlink()
    for part, lines in parts.items():
        _write_part(target / "clips" / f"{part}.jsonl", lines)
    _write_if_changed(target / "campaign.json", canonical_json(_about(session, campaign)))
    return Snapshot(target, dict(sorted(Counter(row["state"] for row in rows).items())))


def forget_sounds(folder: Path, campaign: str, clips: tuple[str, ...]) -> None:
    """Remove withdrawn clips from a snapshot at once; its tables follow with the next one."""
    for clip in clips:
        _sound(snapshot_folder(folder, campaign), clip).unlink(missing_ok=True)


def _sound(target: Path, clip: str) -> Path:
    return target / "sound" / clip[:2] / f"{clip}.flac"


def _write_part(path: Path, lines: list[dict[str, Any]]) -> None:
    if lines:
        ordered = sorted(lines, key=lambda line: line["clip"])
        text = "".join(json.dumps(line, ensure_ascii=False, sort_keys=True) + "\n" for line in ordered)
        _write_if_changed(path, text.encode())
    else:
        path.unlink(missing_ok=True)


def _write_if_changed(path: Path, data: bytes) -> None:
    if not path.is_file() or path.read_bytes() != data:
        write_bytes_atomic(path, data)


def _rows(session: Session, campaign: Campaign) -> list[dict[str, Any]]:
    votes: dict[int, list[Vote]] = {}
    cast = select(Vote).join(Clip, Clip.number == Vote.clip_number).where(Clip.campaign_id == campaign.id)
    for vote in session.scalars(cast):
        votes.setdefault(vote.clip_number, []).append(vote)
    query = (
        select(Clip, Sentence, Voice, Consent, ConsentText)
        .join(Sentence, Sentence.id == Clip.sentence_id)
        .join(Voice, Voice.id == Clip.voice_id)
        .join(Consent, Consent.id == Clip.consent_id)
        .join(ConsentText, ConsentText.id == Consent.text_id)
        .where(Clip.campaign_id == campaign.id)
    )
    rows = [_row(found, votes.get(found[0].number, [])) for found in session.execute(query)]
    stones = select(Withdrawn).where(Withdrawn.campaign_id == campaign.id)
    for stone in session.scalars(stones):
        rows.append({"clip": stone.clip_id, "state": "withdrawn", "voice": stone.voice_id})
    return rows


def _row(found: Any, votes: list[Vote]) -> dict[str, Any]:
    clip, sentence, voice, given, text = found
    if clip.state in ("asked", "waiting"):
        return {"clip": clip.id, "state": "waiting"}
    words = sentence.text.split()
    misread = Counter(words[at] for vote in votes for at in vote.words if at < len(words))
    return {
        "clip": clip.id,
        "state": clip.state,
        "voice": voice.id,
        "gender": voice.gender,
        "age": voice.age,
        "accent": voice.accent,
        "text": sentence.text,
        "sentence": sentence.spoken_sha256[:16],
        "source": sentence.source,
        "yes": clip.yes,
        "no": clip.no,
        "reasons": dict(sorted(Counter(vote.reason for vote in votes if not vote.yes).items())),
        "misread": dict(sorted(misread.items())),
        "doubted": bool(clip.doubt),
        "duration_s": round(clip.duration_s, 4),
        "consent": consent_name(text),
        "consented": _day(given.given_at_s),
        "recorded": _day(clip.created_at_s),
        "sound": clip.sound_sha256,
    }


def consent_name(text: ConsentText) -> str:
    """`en-1`: language and version."""
    return f"{text.language}-{text.version}"


def _day(at_s: float) -> str:
    return time.strftime("%Y-%m-%d", time.gmtime(at_s))


def _about(session: Session, campaign: Campaign) -> dict[str, Any]:
    texts = session.scalars(select(ConsentText).where(ConsentText.campaign_id == campaign.id))
    return {
        "kind": "speechmill campaign",
        "format": FORMAT,
        "name": campaign.name,
        "title": campaign.title,
        "language": campaign.language,
        "licence": campaign.licence,
        "votes_to_decide": campaign.votes_to_decide,
        "takes_per_sentence": campaign.takes_per_sentence,
        "consents": {
            consent_name(text): {
                "text": text.text,
                "licence": text.licence,
                "sha256": text.sha256,
                "since": _day(text.created_at_s),
            }
            for text in texts
        },
    }
