"""sclite's `.pra`: every utterance with reference and hypothesis one above the other, mistakes in capitals."""

from __future__ import annotations

from collections.abc import Sequence

from scoring.pairs import Pair
from scoring.score import Score, Step

_LINE_COLUMNS = 1000
_MOST_STARS = 40


def render(score: Score, title: str) -> str:
    """The whole report as text; speakers in the order of their first utterance."""
    by_speaker: dict[str, list[Pair]] = {}
    for pair in score.pairs:
        by_speaker.setdefault(pair.speaker, []).append(pair)
    parts = [f"\n\n\t\tDUMP OF SYSTEM ALIGNMENT STRUCTURE\n\nSystem name:   {title}\n\nSpeakers: \n"]
    parts += [f"   {number:2d}:  {name}\n" for number, name in enumerate(by_speaker)]
    parts.append("\n")
    for number, (name, pairs) in enumerate(by_speaker.items()):
        parts.append(f"Speaker sentences{number:4d}:  {name}   #utts: {len(pairs)}\n")
        for pair in pairs:
            parts.append(_utterance(pair, score.path(pair), score.request.fold) + "\n")
    return "".join([*parts, "\n"])


def _utterance(pair: Pair, steps: Sequence[Step], fold: str) -> str:
    kinds = [step[0] for step in steps]
    lines = [f"id: ({pair.id})"]
    if pair.label:
        lines.append(f"Labels: {pair.label}")
    if pair.channel:
        lines += [f"File: {pair.recording}", f"Channel: {pair.channel}"]
    counts = " ".join(str(kinds.count(kind)) for kind in "CSDI")
    lines.append(f"Scores: (#C #S #D #I) {counts}")
    if fold == "none":
        lines.append("Attributes: Case_sensitve ")  # spelled so by sclite
    start = 0
    while start < len(steps):
        end = _end_of_line(steps, start)
        mark = ">> " if start else ""
        lines += [""] if start else []
        rows = (
            ([], [], [])
            if start == end
            else zip(*(_cells(step, fold) for step in steps[start:end]), strict=True)
        )
        for name, cells in zip(("REF:  ", "HYP:  ", "Eval: "), rows, strict=True):
            lines.append(mark + name + "".join(cells))
        start = end
    return "".join(f"{line}\n" for line in lines)


def _width(step: Step) -> int:
    _, said, heard, _, _ = step
    return max(1 if said is None else len(said), 1 if heard is None else len(heard))


def _end_of_line(steps: Sequence[Step], start: int) -> int:
    """One past the last word of a line."""
    used = 9 if start else 6
    end = start
    while used < _LINE_COLUMNS and end < len(steps):
        used += 1 + _width(steps[end])
        end += 1
    return max(start + 1, end - (end < len(steps)))


def _cells(step: Step, fold: str) -> tuple[str, str, str]:
    kind, said, heard, _, _ = step
    width = _width(step)
    missing = "*" * min(_MOST_STARS, width)
    shown = [missing if word is None and kind != "C" else (word or "") for word in (said, heard)]
    if kind != "C":
        shown = [_capitals(word, fold) for word in shown]
    mark = "" if kind == "C" else kind
    return shown[0].ljust(width) + " ", shown[1].ljust(width) + " ", mark.ljust(width) + " "


def _capitals(word: str, fold: str) -> str:
    if fold == "none":
        return word
    capitals = word.upper() if fold == "unicode" else word.encode().upper().decode()
    return capitals if len(capitals) == len(word) else word
