"""Transcriber .trs: the text between synchronisation points, with the speaker of its turn.

Text stands behind the empty tags (`<Sync>`, `<Event>`, `<Comment>`, `<Background>`), in the encoding of the XML
header. Events of noise become tags that transcript.py knows; a turn of two speakers at once is refused,
because nobody can tell from one channel who says what. The DTD is never fetched.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from xml.etree.ElementTree import Element

from corpora.formats.cues import Cue, Hints, Transcript, TranscriptError
from corpora.formats.times import seconds
from corpora.formats.xml_text import local, parse_xml

_GENDERS = {"male": "m", "female": "f"}


def read(data: bytes, hints: Hints) -> Transcript:
    """All stretches between synchronisation points that hold text.

    Raises:
        TranscriptError: no Transcriber file, unsafe or damaged XML.
    """
    root, lines = parse_xml(data)
    if local(root) != "Trans":
        raise TranscriptError("bad_xml", f"the root is <{local(root)}>, not <Trans>")
    speakers = {e.get("id", ""): e for e in root.iter("Speaker")}
    cues: list[Cue] = []
    empty = 0
    for turn in root.iter("Turn"):
        for cue in _turn(turn, lines, speakers):
            if cue.text.strip():
                cues.append(cue)
            else:
                empty += 1
    media = root.get("audio_filename", "").replace("\\", "/").rpartition("/")[2]
    ignored = (("stretch without text", empty),) if empty else ()
    return Transcript(tuple(cues), (media,) if media else (), ignored=ignored, encoding="xml")


def _turn(turn: Element, lines: dict[Element, int], speakers: dict[str, Element]) -> Iterator[Cue]:
    """The stretches of one turn."""
    try:
        start, end = seconds(turn.get("startTime", "")), seconds(turn.get("endTime", ""))
    except ValueError:
        text = "".join(turn.itertext())
        yield Cue(lines[turn], None, None, text, problem="a turn whose times cannot be read")
        return
    names = turn.get("speaker", "").split()
    who = speakers.get(names[0]) if len(names) == 1 else None
    voice = (who.get("name") or names[0]) if who is not None else (names[0] if names else None)
    gender = _GENDERS.get(who.get("type", "")) if who is not None else None
    foreign = turn.get("mode") == "foreign"
    stretches = list(_stretches(turn, start, lines))
    for index, (at, line, text) in enumerate(stretches):
        until = stretches[index + 1][0] if index + 1 < len(stretches) else end
        problem, check = ("", "bad_line")
        if len(names) > 1:
            problem, check = f"{len(names)} speakers at once ({', '.join(names)})", "two_speakers"
        elif foreign:
            problem, check = "a turn in another language", "foreign"
        if math.isnan(at):
            problem, check, at = "a <Sync> whose time cannot be read", "bad_line", start
        yield Cue(line, at, until, text, voice, problem, check, gender=gender)


def _stretches(turn: Element, start: float, lines: dict[Element, int]) -> Iterator[tuple[float, int, str]]:
    """(start, line, text) from one <Sync> to the next; a time that cannot be read is NaN."""
    at, line, text = start, lines[turn], turn.text or ""
    for child in turn:
        name = local(child)
        if name == "Sync":
            if text.strip() or at != start:
                yield at, line, text
            at, line, text = _number(child.get("time", "")), lines[child], ""
        elif name == "Event":
            text += _event(child)
        text += child.tail or ""
    yield at, line, text


def _number(text: str) -> float:
    try:
        return seconds(text)
    except ValueError:
        return float("nan")


def _event(event: Element) -> str:
    """Noises as tags; pronunciation marks and languages change no word."""
    kind, what = event.get("type", "noise"), event.get("desc", "")
    if kind in {"noise", "pronounce"} and what in {"i", "pi"}:
        return " [inaudible] "
    if kind == "noise" and event.get("extent", "instantaneous") in {"instantaneous", "previous", "next", ""}:
        return " [noise] "
    if kind == "language" and event.get("extent") != "end":
        return f" <foreign {what}> "
    return " "
