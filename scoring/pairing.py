"""References and hypotheses -> pairs of texts, by id, by order or by time.

TRN, JSON, Kaldi       by id; what has no hypothesis is skipped (sclite's way with TRN) or counts as deleted
plain                  line by line
STM, timed JSON        hypothesis words by the middle of their time (`timed_pairing.py`)
CTM against CTM        in stretches divided by pauses of both (`chunks.py`)
"""

from __future__ import annotations

from collections.abc import Iterable

from scoring.chunks import pair_chunks
from scoring.errors import ScoringError
from scoring.formats import trn
from scoring.pairs import Pair, Pairing
from scoring.timed_pairing import pair_by_time
from scoring.transcripts import Segment, Transcripts

_NAMED = 5  # ids shown in a message


def pair_up(reference: Transcripts, hypothesis: Transcripts, missing: str | None, speakers: str) -> Pairing:
    """Pairs of two files; `missing` is one of pairs.MISSING (None: the format's way), `speakers` a rule of `trn`.

    Raises:
        ScoringError: the formats cannot be paired, or ids, lines or recordings do not belong together.
    """
    forms = (reference.form, hypothesis.form)
    if forms == ("ctm", "ctm"):
        return pair_chunks(reference, hypothesis)
    if reference.form == "stm" or hypothesis.form == "ctm":
        return pair_by_time(reference, hypothesis)
    if "plain" in forms:
        return _by_order(reference, hypothesis, speakers)
    if "stm" in forms or "ctm" in forms:
        raise ScoringError(
            f"{reference.path} ({reference.form}) and {hypothesis.path} ({hypothesis.form}) have no utterances in "
            "common: words with times need a reference with times (STM, CTM or JSON)"
        )
    timed = forms == ("json", "json") and reference.is_timed and hypothesis.is_timed
    if timed and not _same_ids(reference, hypothesis):
        return pair_by_time(reference, hypothesis)
    missing = missing or ("skip" if hypothesis.form == "trn" else "delete")
    return _by_id(reference, hypothesis, missing, speakers)


def _same_ids(reference: Transcripts, hypothesis: Transcripts) -> bool:
    known = {segment.id for segment in reference.segments}
    return all(segment.id in known for segment in hypothesis.segments)


def _by_order(reference: Transcripts, hypothesis: Transcripts, speakers: str) -> Pairing:
    said, heard = reference.segments, hypothesis.segments
    if reference.words or hypothesis.words or len(said) != len(heard):
        count = f"{len(said)} and {len(heard)} lines"
        raise ScoringError(
            f"{reference.path} and {hypothesis.path} have {count}: plain text is paired line by line; "
            "give both ids (TRN: `words (id)`) to pair them otherwise"
        )
    pairs = [
        Pair(one.id, _speaker(one, speakers), one.text, other.text)
        for one, other in zip(said, heard, strict=True)
    ]
    return Pairing(pairs)


def _by_id(reference: Transcripts, hypothesis: Transcripts, missing: str, speakers: str) -> Pairing:
    known = _references(reference)
    pairs = []
    unknown = []
    done: set[str] = set()
    for heard in hypothesis.segments:
        said = known.get(heard.id)
        if said is None:
            unknown.append(heard.id)
            continue
        if heard.id in done:
            raise ScoringError(f"{hypothesis.path} has two hypotheses of utterance {heard.id!r}")
        done.add(heard.id)
        pairs.append(_pair(said, heard.text, speakers))
    if unknown:
        raise ScoringError(
            f"{len(unknown)} utterances of {hypothesis.path} have no reference in {reference.path}: {_some(unknown)}"
        )
    lonely = [segment for name, segment in known.items() if name not in done]
    if lonely and missing == "refuse":
        raise ScoringError(
            f"{len(lonely)} references of {reference.path} have no hypothesis in {hypothesis.path}: "
            f"{_some(segment.id for segment in lonely)}"
        )
    if missing == "delete":
        pairs += [_pair(segment, "", speakers) for segment in lonely]
    return Pairing(pairs, [segment.id for segment in lonely], missing)


def _references(reference: Transcripts) -> dict[str, Segment]:
    known: dict[str, Segment] = {}
    for segment in reference.segments:
        other = known.setdefault(segment.id, segment)
        if other is not segment and other.text.split() != segment.text.split():
            raise ScoringError(f"{reference.path} has two different references of utterance {segment.id!r}")
    return known


def _pair(said: Segment, heard: str, speakers: str) -> Pair:
    return Pair(
        said.id, _speaker(said, speakers), said.text, heard, said.label, said.recording, said.channel,
        said.start_s, said.end_s,
    )  # fmt: skip


def _speaker(segment: Segment, rule: str) -> str:
    return segment.speaker or trn.speaker_of(segment.id, rule)


def _some(names: Iterable[str]) -> str:
    listed = list(names)
    more = f" and {len(listed) - _NAMED} more" if len(listed) > _NAMED else ""
    return ", ".join(listed[:_NAMED]) + more
