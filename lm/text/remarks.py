"""What a build has to say about its text: why nothing is left of it, and what was asked for and could not be done."""

from __future__ import annotations

from collections.abc import Sequence

from lm.text.sentences import SentenceCounts

_TOLD = 8
_ADVICE = {
    "numbers": "digits are not spelled out: give text with its numbers as words",
    "bad_chars": "is it the alphabet of this text (--alphabet)?",
    "symbol": "leave the symbols out or write them as words",
}
_MEANING = {
    "numbers": "for digits",
    "bad_chars": "for characters outside the alphabet",
    "symbol": "for symbols without a certain spoken form",
    "empty_text": "without a word",
    "noise_only": "with nothing but tags",
}


def why_nothing_is_left(counts: SentenceCounts, labels: Sequence[str]) -> str:
    """One sentence with the counted reasons, and what to do about the most frequent one."""
    total = counts.total
    if not total.read:
        return "the text holds no sentence to learn from; give more text or a corpus with a train split"
    reasons = sorted(total.refused.items(), key=lambda item: (-item[1], item[0]))
    parts = [f"{number:,} refused {_MEANING.get(reason, f'({reason})')}" for reason, number in reasons]
    if total.left_out:
        parts.append(f"{total.left_out:,} equal to dev or test")
    signs = [sign for sign, _ in counts.outside_alphabet.most_common(_TOLD)]
    if signs:
        parts.append(f"most often {' '.join(signs)}")
    advice = _ADVICE.get(reasons[0][0]) if reasons else None
    capitals = [label for label in labels if label != label.lower()]
    if capitals and reasons and reasons[0][0] == "bad_chars":
        advice = f"text is put in small letters, and the alphabet has capitals ({' '.join(capitals[:_TOLD])})"
    remedy = advice or "give more text or a corpus with a train split"
    return f"no sentence is left to learn from ({total.read:,} read: {', '.join(parts)}); {remedy}"


def remarks(counts: SentenceCounts, labels: Sequence[str], words: Sequence[str]) -> list[str]:
    """Decisions about the text: lines of another encoding by source, labels that no word of the model holds."""
    found = [
        f"{name}: {_lines(one.lines_not_utf8)} no UTF-8 and read as Windows-1252"
        for name, one in counts.sources.items()
        if one.lines_not_utf8
    ]
    text = "\n".join(words)
    letters = set(text)
    unused = [
        label for label in labels if label != " " and label not in (letters if len(label) == 1 else text)
    ]
    if unused:
        shown = ", ".join(repr(label) for label in unused[:_TOLD]) + (", …" if len(unused) > _TOLD else "")
        found.append(f"no word of the text holds {shown}: are these lines of the alphabet meant as letters?")
    return found


def _lines(number: int) -> str:
    return f"{number:,} line was" if number == 1 else f"{number:,} lines were"
