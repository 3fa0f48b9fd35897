"""ELAN .eaf: annotations with times, read without trust in the file.

Time slots without a value are interpolated between their neighbours (flagged). Annotations of tiers that refer
to others (REF_ANNOTATION) take the times of the annotation they stand for; several of one annotation are joined. Of
such a family only the topmost tier that holds words is speech (a tier of names or numbers, `ref@SP`, holds none);
translations and glosses below it are counted as ignored, unless `tiers` of donation.toml names them. Where a tier
below holds more text than the one taken, that is said. The recording's path (often of a Windows machine) counts by
its last part.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field, replace
from itertools import groupby
from urllib.parse import unquote
from xml.etree.ElementTree import Element

from corpora.formats.cues import Cue, Hints, Transcript, TranscriptError
from corpora.formats.labels import Tier, silent, speaker_of, spoken
from corpora.formats.times import FARTHEST_S
from corpora.formats.xml_text import local, parse_xml

_TIME = re.compile(r"-?[0-9]{1,11}")
_UNITS_S = {"": 0.001, "milliseconds": 0.001, "pal-frames": 1 / 25, "ntsc-frames": 1001 / 30_000}
_NO_WORDS = re.compile(r"(ref|refs|id|ids|idx|rec|index|line|utt_?id|utterance_?id|number|nr|num)", re.I)
_WORDS = re.compile(
    r"(tx|txt|text|words?|wd|tok|tokens?|transcri\w*|utterance|utt|orth?\w*|mot|mots|speech)", re.I
)
_NUMBERED = re.compile(r"[\w .:-]*[0-9][A-Za-z]?")  # talk one 12, 12a
_MORE = 1.5  # times the letters of the tier taken, from which a tier below it is worth a word


@dataclass(eq=False)
class _Tier:
    """A tier of the file with what refers to it."""

    name: str
    kind: str
    parent: str
    voice: str | None
    annotations: list[Element] = field(default_factory=list)
    children: list[_Tier] = field(default_factory=list)

    @property
    def texts(self) -> list[str]:
        return [text for annotation in self.annotations if (text := _value(annotation).strip())]

    def holds_words(self) -> bool:
        """Whether what stands in it can have been said: not only the names that other tools give to lines."""
        texts = self.texts
        base = self.name.partition("@")[0]
        if not texts:
            return False
        named = bool(_NO_WORDS.fullmatch(base) or _NO_WORDS.fullmatch(self.kind))
        numbers = sum(_is_name(text) for text in texts) >= 0.8 * len(texts)
        return not (self.children and any(child.texts for child in self.children) and (named or numbers))


class _Document:
    """The parts of a file that cues are made of."""

    def __init__(self, root: Element, lines: dict[Element, int]) -> None:
        self.lines = lines
        self.slots, self.guessed = _slots(root)
        self.elements = {e.get("ANNOTATION_ID", ""): e for e in root.iter() if e.get("ANNOTATION_ID")}
        self.ignored: Counter[str] = Counter()
        self.tiers = [_tier(e) for e in root if local(e) == "TIER"]
        by_name = {tier.name: tier for tier in self.tiers}
        for tier in self.tiers:
            above = by_name.get(tier.parent)
            if above is not None and above is not tier:
                above.children.append(tier)

    def chosen(self, asked: tuple[str, ...]) -> list[_Tier]:
        """The tiers to read; annotations of all others are counted."""
        if asked:
            taken = [tier for tier in self.tiers if tier.name in asked]
        else:
            known = {tier.name for tier in self.tiers}
            tops = [tier for tier in self.tiers if tier.parent not in known or tier.parent == tier.name]
            taken = [tier for top in tops if (tier := self._topmost(top, set())) is not None]
        for tier in self.tiers:
            if not any(tier is one for one in taken):
                self.ignored[self._why(tier, taken)] += len(tier.annotations)
        return taken

    @staticmethod
    def _why(tier: _Tier, taken: list[_Tier]) -> str:
        above = next((one for one in taken if tier in one.children), None)
        if above is not None and sum(map(len, tier.texts)) > _MORE * sum(map(len, above.texts)):
            return (
                f"tier {tier.name!r} holds more text than {above.name!r}, which was taken (`tiers` chooses)"
            )
        return "annotation of a dependent tier" if tier.parent else "annotation of a tier not taken"

    def _topmost(self, tier: _Tier, seen: set[str]) -> _Tier | None:
        """The highest tier of a family that holds words."""
        if tier.name in seen:
            return None
        seen.add(tier.name)
        if tier.holds_words():
            return tier
        below = [child for child in tier.children if child.texts or child.children]
        named = [child for child in below if _WORDS.fullmatch(child.name.partition("@")[0]) and child.texts]
        if len(named) == 1 or len(below) == 1:
            return self._topmost((named if len(named) == 1 else below)[0], seen)
        if below:
            names = ", ".join(repr(child.name) for child in below)
            reason = f"tier {tier.name!r} holds no words and several tiers below it do ({names})"
            raise TranscriptError("tier_ambiguous", f"{reason}: say in `tiers` which one was said")
        return tier if tier.texts or not tier.parent else None

    def cues(self, tier: _Tier) -> list[Cue]:
        """Cues of a tier, those of one timed annotation joined."""
        found = []
        for annotation in tier.annotations:
            text = _value(annotation)
            reason = silent(text) if text.strip() else "annotation without text"
            if reason:
                self.ignored[reason] += 1
            else:
                timed = self._timed(annotation)
                found.append((timed, self._cue(annotation, timed, tier.voice, text)))
        joined = []
        for timed, parts in groupby(found, key=lambda pair: pair[0]):
            cues = [cue for _, cue in parts]
            if timed is None or len(cues) == 1:
                joined += cues
            else:
                self.ignored["joined to the part before"] += len(cues) - 1
                joined.append(replace(cues[0], text=" ".join(cue.text.strip() for cue in cues)))
        return joined

    def _timed(self, annotation: Element) -> Element | None:
        """The annotation whose times it has; None where references run in a circle or to nothing."""
        seen: set[str] = set()
        timed: Element | None = annotation
        while timed is not None and timed.get("ANNOTATION_REF"):
            reference = timed.get("ANNOTATION_REF", "")
            timed = None if reference in seen else self.elements.get(reference)
            seen.add(reference)
        return timed

    def _cue(self, annotation: Element, timed: Element | None, voice: str | None, text: str) -> Cue:
        keys = ("TIME_SLOT_REF1", "TIME_SLOT_REF2")
        first, last = (timed.get(key, "") for key in keys) if timed is not None else ("", "")
        line = self.lines[annotation]
        if first not in self.slots or last not in self.slots:
            return Cue(line, None, None, text, voice, problem="the annotation has no times")
        flags = ("times_interpolated",) if {first, last} & self.guessed else ()
        return Cue(line, self.slots[first], self.slots[last], text, voice, flags=flags)


def read(data: bytes, hints: Hints) -> Transcript:
    """All annotations of the tiers that hold speech.

    Raises:
        TranscriptError: no ELAN file, unsafe or damaged XML, or no telling which tier holds the words.
    """
    root, lines = parse_xml(data)
    if local(root) != "ANNOTATION_DOCUMENT":
        raise TranscriptError("bad_xml", f"the root is <{local(root)}>, not <ANNOTATION_DOCUMENT>")
    document = _Document(root, lines)
    tiers = [Tier(tier.name, document.cues(tier)) for tier in document.chosen(hints.tiers)]
    cues = spoken(tiers, bool(hints.tiers), document.ignored)
    told = [(reason, count) for reason, count in document.ignored.items() if count]
    return Transcript(tuple(cues), _media(root), ignored=tuple(told), encoding="xml")


def _tier(element: Element) -> _Tier:
    name = element.get("TIER_ID", "")
    kinds = {"ALIGNABLE_ANNOTATION", "REF_ANNOTATION"}
    return _Tier(
        name,
        element.get("LINGUISTIC_TYPE_REF", ""),
        element.get("PARENT_REF", ""),
        element.get("PARTICIPANT") or speaker_of(name),
        [e for e in element.iter() if local(e) in kinds],
    )


def _is_name(text: str) -> bool:
    """Whether a label is a line's name, as `talk.001` and `utterance 12`."""
    dotted = len(text.split()) == 1 and any(sign in text[:-1] for sign in "._")
    return dotted or bool(_NUMBERED.fullmatch(text))


def _value(annotation: Element) -> str:
    return next((v.text or "" for v in annotation if local(v) == "ANNOTATION_VALUE"), "")


def _slots(root: Element) -> tuple[dict[str, float], set[str]]:
    """Seconds of every slot, and which of them were interpolated between the neighbours that have a value.

    Raises:
        TranscriptError: the header counts times in a unit that is none of the format's.
    """
    header = next((e for e in root if local(e) == "HEADER"), None)
    said = "" if header is None else header.get("TIME_UNITS", "")
    unit_s = _UNITS_S.get(said.strip().lower())
    if unit_s is None:
        raise TranscriptError("bad_times", f"times in {said[:40]!r}: ELAN knows {', '.join([*_UNITS_S][1:])}")
    order = [
        (e.get("TIME_SLOT_ID", ""), e.get("TIME_VALUE", "")) for e in root.iter() if local(e) == "TIME_SLOT"
    ]
    known = [
        (at, round(int(value) * unit_s, 6))
        for at, (_, value) in enumerate(order)
        if _TIME.fullmatch(value) and abs(int(value)) * unit_s < FARTHEST_S
    ]
    slots: dict[str, float] = {}
    guessed: set[str] = set()
    if not known:
        return slots, guessed
    for (at, time_s), (after, after_s) in zip(known, [*known[1:], (len(order), None)], strict=True):
        slots[order[at][0]] = time_s
        if after_s is not None:
            for between in range(at + 1, after):
                slots[order[between][0]] = time_s + (between - at) / (after - at) * (after_s - time_s)
                guessed.add(order[between][0])
    return slots, guessed


def _media(root: Element) -> tuple[str, ...]:
    """File names of the recordings: the last part of every URL, percent signs decoded."""
    found = []
    for element in root.iter():
        if local(element) == "MEDIA_DESCRIPTOR":
            for key in ("RELATIVE_MEDIA_URL", "MEDIA_URL"):
                name = unquote(element.get(key, "")).replace("\\", "/").rpartition("/")[2]
                if name and name not in found:
                    found.append(name)
    return tuple(found)
