"""ELAN .eaf: annotations with times, read without trust in the file.

Time slots without a value are interpolated between their neighbours (flagged). Annotations of tiers that refer
to others (REF_ANNOTATION) take the times of the annotation they stand for; of such a family only the topmost
tier that holds text is speech, translations and glosses below it are counted as ignored, unless `tiers` of
donation.toml names them. The recording's path (often of a Windows machine) counts by its last part.
"""

from __future__ import annotations

from urllib.parse import unquote
from xml.etree.ElementTree import Element

from corpora.formats.cues import Cue, Hints, Transcript, TranscriptError
from corpora.formats.xml_text import local, parse_xml


def read(data: bytes, hints: Hints) -> Transcript:
    """All annotations of the tiers that hold speech.

    Raises:
        TranscriptError: no ELAN file, unsafe or damaged XML.
    """
    root, lines = parse_xml(data)
    if local(root) != "ANNOTATION_DOCUMENT":
        raise TranscriptError("bad_xml", f"the root is <{local(root)}>, not <ANNOTATION_DOCUMENT>")
    slots, guessed = _slots(root)
    elements = {e.get("ANNOTATION_ID", ""): e for e in root.iter() if e.get("ANNOTATION_ID")}
    cues, empty, other = [], 0, 0
    for tier in (e for e in root if local(e) == "TIER"):
        annotations = [e for e in tier.iter() if local(e) in {"ALIGNABLE_ANNOTATION", "REF_ANNOTATION"}]
        name = tier.get("TIER_ID", "")
        if (hints.tiers and name not in hints.tiers) or (not hints.tiers and tier.get("PARENT_REF")):
            other += len(annotations)
            continue
        voice = tier.get("PARTICIPANT") or name or None
        for annotation in annotations:
            value = next((v.text or "" for v in annotation if local(v) == "ANNOTATION_VALUE"), "")
            if value.strip():
                cues.append(_cue(annotation, elements, (slots, guessed), (lines[annotation], voice, value)))
            else:
                empty += 1
    named = (("annotation without text", empty), ("annotation of a dependent tier", other))
    return Transcript(tuple(cues), _media(root), ignored=tuple((r, n) for r, n in named if n), encoding="xml")


def _cue(
    annotation: Element,
    elements: dict[str, Element],
    times: tuple[dict[str, float], set[str]],
    said: tuple[int, str | None, str],
) -> Cue:
    """An annotation with its own times or those it inherits; references that run in a circle are a problem."""
    line, voice, text = said
    slots, guessed = times
    seen: set[str] = set()
    timed: Element | None = annotation
    while timed is not None and timed.get("ANNOTATION_REF"):
        reference = timed.get("ANNOTATION_REF", "")
        timed = None if reference in seen else elements.get(reference)
        seen.add(reference)
    first, last = (
        (timed.get("TIME_SLOT_REF1", ""), timed.get("TIME_SLOT_REF2", "")) if timed is not None else ("", "")
    )
    if first not in slots or last not in slots:
        return Cue(line, None, None, text, voice, problem="the annotation has no times")
    flags = ("times_interpolated",) if {first, last} & guessed else ()
    return Cue(line, slots[first], slots[last], text, voice, flags=flags)


def _slots(root: Element) -> tuple[dict[str, float], set[str]]:
    """Seconds of every slot, and which of them were interpolated between the neighbours that have a value."""
    order = [(e.get("TIME_SLOT_ID", ""), e.get("TIME_VALUE")) for e in root.iter() if local(e) == "TIME_SLOT"]
    known = [(at, int(value)) for at, (_, value) in enumerate(order) if value and value.lstrip("-").isdigit()]
    slots, guessed = {}, set()
    for at, (name, _) in enumerate(order):
        before = max((k for k in known if k[0] <= at), default=None)
        after = min((k for k in known if k[0] >= at), default=None)
        if before is None or after is None:
            continue
        if before[0] == after[0]:
            slots[name] = before[1] / 1000
        else:
            share = (at - before[0]) / (after[0] - before[0])
            slots[name] = (before[1] + share * (after[1] - before[1])) / 1000
            guessed.add(name)
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
