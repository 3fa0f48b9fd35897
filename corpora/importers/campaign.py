"""A campaign of the service `collect`: `campaign.json`, `clips/<ab>.jsonl` and `sound/<ab>/<id>.flac`.

Accepted clips are utterances whose flags tell votes and consent (`votes:2-0`, `consent:en-1`); refused ones are
rejections with the listeners' reasons; withdrawn ones are rejections without a text; clips that wait for votes are
counted and passed over. Speakers are the campaign's pseudonymous voices, also the donors, so that one of them can be
withdrawn. There are no official splits: they are drawn by speaker and stay as the campaign grows.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from corpora.errors import SourceError
from corpora.importer import (
    AudioRef,
    CorpusFacts,
    Ignored,
    ImportOptions,
    RawSegment,
    Rejection,
    Scan,
    WorkUnit,
)
from corpora.importers import _calls as recordings
from corpora.sources.source import Source

_TABLE = re.compile(r"(?:^|/)clips/[0-9a-f]{2}\.jsonl$")
_ABOUT = re.compile(r"(?:^|/)campaign\.json$")
_CLIP = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_GENDERS = {"female": "f", "male": "m", "other": "x"}
_FORMAT = 1
_ACCEPTED = ("clip", "voice", "text", "yes", "no", "consent")


class CampaignImporter:
    """See the module."""

    name = "campaign"
    version = "1"
    summary = "recordings of volunteers, judged by volunteers (python -m collect)"

    def recognise(self, source: Source) -> bool:
        """A campaign.json beside tables of clips."""
        return bool(source.names_matching(_ABOUT)) and bool(source.names_matching(_TABLE))

    def scan(self, source: Source, options: ImportOptions) -> Scan:
        """One work unit for each table of clips.

        Raises:
            SourceError: no campaign.json, one of another kind or format, or several.
        """
        place, about = _about(source)
        folder = place.removesuffix("campaign.json")
        units = []
        for table in source.names_matching(_TABLE):
            part = table.rsplit("/", 1)[-1].removesuffix(".jsonl")
            sounds = source.names_matching(re.compile(rf"^{re.escape(folder)}sound/{part}/[^/]+\.flac$"))
            payload = {
                "table": table,
                "folder": folder,
                "language": about["language"],
                "licence": about["licence"],
            }
            cost = float(sum(source.member(name).size for name in sounds))
            units.append(WorkUnit(f"clips-{part}", payload, cost, (table, *sounds)))
        told = {key: about[key] for key in ("title", "consents", "votes_to_decide", "takes_per_sentence")}
        facts = CorpusFacts(
            name=about["name"],
            licence=about["licence"],
            language=about["language"],
            closed_vocabulary=about["takes_per_sentence"] > 1,
            split_rule="speaker",
            about=told,
        )
        ignored = (Ignored(place, "the campaign's description"),)
        return Scan(facts, tuple(units), ignored)

    def read(self, source: Source, unit: WorkUnit) -> Iterator[RawSegment | Rejection | Ignored]:
        """Clips of one table, in its order."""
        yield from recordings.without_twins(_items(source, unit.payload))


def _about(source: Source) -> tuple[str, dict[str, Any]]:
    places = source.names_matching(_ABOUT)
    if len(places) != 1:
        raise SourceError(f"{source.label} holds {len(places)} files campaign.json; one campaign at a time")
    with source.open(places[0]) as stream:
        data = stream.read(16 << 20)
    try:
        about = json.loads(data)
        known = about["kind"] == "speechmill campaign" and about["format"] == _FORMAT
        typed = all(isinstance(about[key], str) for key in ("name", "title", "language", "licence"))
        typed = typed and all(
            isinstance(about[key], int) for key in ("votes_to_decide", "takes_per_sentence")
        )
        typed = typed and isinstance(about["consents"], dict)
    except (ValueError, KeyError, TypeError) as error:
        raise SourceError(f"{places[0]} is not the description of a campaign ({error!r})") from error
    if not known or not typed:
        raise SourceError(
            f"{places[0]} is no campaign of format {_FORMAT}: was it written by another release?"
        )
    return places[0], about


def _items(source: Source, payload: Mapping[str, Any]) -> Iterator[RawSegment | Rejection | Ignored]:
    path = payload["table"]
    for line in recordings.readable_lines(source, path):
        if isinstance(line, Rejection):
            yield line
            continue
        try:
            row = json.loads(line.text or "")
            if not isinstance(row, dict) or not _CLIP.fullmatch(str(row.get("clip"))):
                raise ValueError("no clip with an id")
            yield _item(source, payload, row, line.number)
        except (ValueError, KeyError, TypeError) as error:
            yield recordings.bad_line(path, line, "bad_line", f"not a clip of a campaign: {error}")


def _item(
    source: Source, payload: Mapping[str, Any], row: Mapping[str, Any], number: int
) -> RawSegment | Rejection | Ignored:
    path, clip, state = payload["table"], row["clip"], row["state"]
    if state == "waiting":
        return Ignored(path, "waits for votes")

    def refuse(check: str, reason: str, text: str | None) -> Rejection:
        voice = str(row["voice"])
        return Rejection(path, check, reason, clip, number, text_raw=text, speaker_id=voice, donor_id=voice)

    if state == "withdrawn":
        return refuse("withdrawn", "its voice has withdrawn it", None)
    if state == "refused":
        return refuse("voted_down", _why(row), str(row["text"]))
    if state != "accepted":
        raise ValueError(f"state {state!r}")
    missing = [key for key in _ACCEPTED if key not in row]
    if missing:
        raise ValueError(f"no {' and '.join(missing)}")
    sound = f"{payload['folder']}sound/{clip[:2]}/{clip}.flac"
    if sound not in source:
        return refuse(
            "audio_missing", f"{sound} is not in the source: was the copy cut short?", str(row["text"])
        )
    return RawSegment(
        utterance_id=clip,
        recording_id=clip,
        speaker_id=str(row["voice"]),
        text_raw=str(row["text"]),
        style="common_voice",
        audio=AudioRef(sound, stated_s=row.get("duration_s")),
        source_path=path,
        line=number,
        split=None,
        subset="",
        gender=_GENDERS.get(row.get("gender", "")),
        language=payload["language"],
        licence=payload["licence"],
        donor_id=str(row["voice"]),
        flags=_flags(row),
    )


def _flags(row: Mapping[str, Any]) -> tuple[str, ...]:
    flags = [f"votes:{int(row['yes'])}-{int(row['no'])}", f"consent:{row['consent']}"]
    return (*flags, "doubted") if row.get("doubted") else tuple(flags)


def _why(row: Mapping[str, Any]) -> str:
    """The listeners' reasons in a sentence."""
    reasons = ", ".join(f"{name} {count}×" for name, count in row.get("reasons", {}).items())
    words = ", ".join(f"{word!r}" for word in row.get("misread", {}))
    said = f"{row['no']} of {row['yes'] + row['no']} listeners said no ({reasons or 'no reason'})"
    return f"{said}; misread: {words}" if words else said
