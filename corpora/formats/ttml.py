"""TTML, EBU-TT-D and IMSC: paragraphs with exact times, whatever their time base, through ttconv.

`ttm:agent` gives the speaker; `ebuttm:documentStartOfProgramme` the time code at which the programme begins.
Layout, colours and regions are not looked at.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction
from typing import Any
from xml.etree.ElementTree import Element, ElementTree

from corpora.formats.cues import Cue, Hints, Transcript, TranscriptError
from corpora.formats.xml_text import local, parse_xml

_METADATA = "{http://www.w3.org/ns/ttml#metadata}"
_PARAMETER = "{http://www.w3.org/ns/ttml#parameter}"
_ID = "{http://www.w3.org/XML/1998/namespace}id"
_RATE = re.compile(r"[1-9][0-9]{0,3}")
_CODE = re.compile(r"^([0-9]{1,3}):([0-9]{2}):([0-9]{2})(?:[:;.]([0-9]{1,6}))?$")


def read(data: bytes, hints: Hints) -> Transcript:
    """All paragraphs of a document, in its order.

    Raises:
        TranscriptError: no TTML, unsafe or damaged XML.
    """
    from ttconv.imsc import reader

    root, lines = parse_xml(data)
    if local(root) != "tt":
        raise TranscriptError("bad_xml", f"the root is <{local(root)}>, not <tt>")
    said = root.get(f"{_PARAMETER}frameRate")
    if said is not None and not _RATE.fullmatch(said.strip()):
        raise TranscriptError(
            "bad_xml", f"ttp:frameRate {said[:40]!r} is no rate: times in frames mean nothing"
        )
    paragraphs = [element for element in root.iter() if local(element) == "p"]
    try:
        document = reader.to_model(ElementTree(root))
    except Exception as error:  # ttconv raises what its parsers raise
        raise TranscriptError("bad_xml", f"no TTML that can be understood: {error}") from error
    body = document.get_body() if document is not None else None
    found = list(paragraph_times(body, Fraction(0))) if body is not None else []
    agents = _agents(root)
    aligned = len(found) == len(paragraphs)
    cues = []
    for number, (start, end, text) in enumerate(found):
        element = paragraphs[number] if aligned else None
        line = lines[element] if element is not None else None
        voice = agents.get(element.get(f"{_METADATA}agent", "")) if element is not None else None
        if start is None or end is None:
            cues.append(Cue(line, None, None, text, voice, problem="a paragraph without times"))
        else:
            cues.append(Cue(line, float(start), float(end), text, voice))
    return Transcript(tuple(cues), programme_start_s=_programme_start(root), encoding="xml")


def _agents(root: Element) -> dict[str, str]:
    """The name of every agent by its id."""
    found = {}
    for agent in root.iter(f"{_METADATA}agent"):
        name = "".join(part.text or "" for part in agent.iter(f"{_METADATA}name")).strip()
        found[agent.get(_ID, "")] = name or agent.get(_ID, "")
    return found


def _programme_start(root: Element) -> float | None:
    said = root.get(f"{_PARAMETER}frameRate", "25").strip()
    rate = int(said) if _RATE.fullmatch(said) else 25
    for element in root.iter():
        if local(element) == "documentStartOfProgramme":
            match = _CODE.match((element.text or "").strip())
            if match:
                hours, minutes, seconds, frames = (int(part or 0) for part in match.groups())
                return hours * 3600 + minutes * 60 + seconds + frames / rate
    return None


def paragraph_times(
    element: Any, start: Fraction, span: tuple[Fraction, Fraction] | None = None
) -> Iterator[tuple[Fraction | None, Fraction | None, str]]:
    """(start, end, text) of every paragraph below an element of ttconv's model.

    A paragraph without times, or without an end, has those of the container in which it stands alone, its `span`.
    """
    begin = start + (element.get_begin() or 0)
    if element.get_end() is not None:
        span = (begin, start + element.get_end())
    if span is not None and _paragraphs(element) > 1:
        span = None
    for child in element:
        if type(child).__name__ == "P":
            own_start, own_end, text = _times(child, begin)
            if span is not None and own_end is None:
                own_start, own_end = span[0] if own_start is None else own_start, span[1]
            yield own_start, own_end, text
        else:
            yield from paragraph_times(child, begin, span)


def _paragraphs(element: Any) -> int:
    return sum(1 if type(child).__name__ == "P" else _paragraphs(child) for child in element)


def _times(paragraph: Any, start: Fraction) -> tuple[Fraction | None, Fraction | None, str]:
    """Its own times, else those of its first and last timed part."""
    text = "".join(_text(paragraph))
    own, end = paragraph.get_begin(), paragraph.get_end()
    spans = [(s.get_begin(), s.get_end()) for s in paragraph if s.get_begin() is not None and s.get_end()]
    if own is None and spans:
        return start + min(s for s, _ in spans), start + max(e for _, e in spans), text
    if own is None and end is None:
        return None, None, text
    return start + (own or 0), None if end is None else start + end, text


def _text(element: Any) -> Iterator[str]:
    kind = type(element).__name__
    if kind == "Text":
        yield element.get_text()
    elif kind == "Br":
        yield "\n"
    else:
        for child in element:
            yield from _text(child)
