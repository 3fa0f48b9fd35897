"""GLM, NIST's global map of words: rules `[A] => [B] / [left] __ [right]` that make one spelling of several.

    rules = Rules.load(path, form="stm", side="ref")
    rules.apply("he's the ceo")          # "{he is / he has} the c e o", whatever the file says

From left to right at every place the first rule that fits is applied, and what it wrote is not looked at again.
Sections after `;; INPUT_DEPENDENT_APPLICATION = "regexp"` hold where it matches the form or the side. The text is
upper case and stands between blanks while rules look at it; hyphens inside words become blanks, and of
`( two words )` each is deletable by itself, as NIST's filter does it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from scoring.errors import ScoringError
from scoring.transcripts import Side, TimedWord, Transcripts, folded, read_text

_SECTION = re.compile(r'^;;\s+INPUT_DEPENDENT_APPLICATION\s*=\s*"([^"]*)"', re.IGNORECASE)
_TRUE = ("t", "yes", "true")
_FIELD = re.compile(r"[\"']([^\"']*)[\"']")


@dataclass(frozen=True, slots=True)
class _Rule:
    wanted: str
    written: str
    left: str
    right: str


@dataclass(frozen=True)
class Rules:
    """The rules of a file that hold for one form (stm, ctm, trn, plain) and side (ref, hyp)."""

    path: Path
    by_first_sign: dict[str, tuple[_Rule, ...]]
    case_sensitive: bool
    copies: bool  # what no rule fits is kept
    count: int

    @classmethod
    def load(cls, path: Path, form: str, side: str) -> Rules:
        """Read a file.

        Raises:
            ScoringError: it cannot be read, a rule has no `=>`, or a section's pattern is none.
        """
        return cls.parse(path, read_text(path), form, side)

    @classmethod
    def parse(cls, path: Path, text: str, form: str, side: str) -> Rules:
        """The rules of a file's text; `path` is for messages. Raises as `load`."""
        if not text.strip():
            raise ScoringError(f"{path} is empty: a GLM begins with a comment line")
        lines = _applying(path, text.replace("\r\n", "\n").split("\n"), (form, side))
        comment = lines[0][1].split(maxsplit=1)[0] if lines[0][1].strip() else ""
        settings = {"copy_no_hit": True, "case_sensitive": True}
        rules: list[_Rule] = []
        for number, line in lines[1:]:
            if not line.strip() or (comment and line.startswith(comment)):
                continue
            if line.startswith("*"):
                _set(settings, line)
                continue
            text = line.split(comment, 1)[0] if comment else line
            if text.strip():
                rules.append(_rule(path, number, text.rstrip()))
        fold = not settings["case_sensitive"]
        groups: dict[str, list[_Rule]] = {}
        for rule in (_folded(rule) for rule in rules) if fold else rules:
            if rule.wanted:
                groups.setdefault(rule.wanted[0], []).append(rule)
        grouped = {sign: tuple(group) for sign, group in groups.items()}
        return cls(path, grouped, not fold, settings["copy_no_hit"], len(rules))

    def apply(self, text: str) -> str:
        """One utterance's words after the rules; blanks collapsed."""
        text = f" {' '.join(text.upper().split())} "
        text = text.replace("(", "( ").replace(")", " )")
        text = self._rewritten(f" {text} " if "(" in text else text)
        text = re.sub(r"([^( ])-(?=[^) ])", r"\1 ", text)
        return " ".join(_each_deletable(text).split()).replace("( ", "(").replace(" )", ")")

    def _rewritten(self, text: str) -> str:
        seen = text if self.case_sensitive else text.upper()
        out: list[str] = []
        at = 0
        while at < len(text):
            rule = next((one for one in self.by_first_sign.get(seen[at], ()) if _fits(one, seen, at)), None)
            if rule is None:
                if self.copies:
                    out.append(text[at])
                at += 1
            else:
                out.append(rule.written)
                at += len(rule.wanted)
        return "".join(out)


def _fits(rule: _Rule, text: str, at: int) -> bool:
    end = at + len(rule.wanted)
    return (
        text.startswith(rule.wanted, at)
        and text.startswith(rule.right, end)
        and (not rule.left or (at >= len(rule.left) and text.startswith(rule.left, at - len(rule.left))))
    )


def _each_deletable(text: str) -> str:
    """`( two words )` as `( two ) ( words )`."""
    while True:
        text, changes = re.subn(r"(\(\s+[^()\s]+\s+)([^()\s]+)", r"\1) ( \2", text, count=1)
        if not changes:
            return text


def _applying(path: Path, lines: Sequence[str], kinds: Iterable[str]) -> list[tuple[int, str]]:
    """(number, line) of the lines whose section holds for one of the kinds."""
    found = []
    holds = True
    for number, line in enumerate(lines, 1):
        if (section := _SECTION.match(line)) is not None:
            try:
                pattern = re.compile(section[1].lower())
            except re.error as error:
                raise ScoringError(f"{path} line {number}: {section[1]!r} is no pattern: {error}") from None
            holds = any(pattern.search(kind) for kind in kinds)
        if holds:
            found.append((number, line))
    return found


def _set(settings: dict[str, bool], line: str) -> None:
    value = _FIELD.search(line)
    for name in settings:
        if name.upper() in line.upper() and value is not None:
            settings[name] = value[1].lower() in _TRUE


def _rule(path: Path, number: int, line: str) -> _Rule:
    wanted, arrow, rest = line.partition("=>")
    if not arrow:
        raise ScoringError(f"{path} line {number}: a rule needs `=>`: {line.strip()[:60]!r}")
    left = right = ""
    slash = rest.rfind("/")
    tail = rest[slash + 1 :]
    # A slash inside [ … ] divides alternatives and begins no context.
    inside = "]" in tail and ("[" not in tail or tail.index("]") < tail.index("["))
    if slash >= 0 and not inside and "_" in tail:
        slot = tail.index("_")
        left, right = _bare(tail[:slot]), _bare(tail[slot:].lstrip("_"))
        rest = rest[:slash]
    return _Rule(_bare(wanted), _bare(rest), left, right)


def _bare(text: str) -> str:
    """A field without the blanks round it and the brackets or quotes that keep blanks inside."""
    text = text.strip()
    if len(text) > 1 and text[0] + text[-1] in ("[]", '""', "''"):
        return text[1:-1]
    return text


def _folded(rule: _Rule) -> _Rule:
    return replace(rule, wanted=rule.wanted.upper(), left=rule.left.upper(), right=rule.right.upper())


def apply_to(transcripts: Transcripts, rules: Rules, fold: str) -> Transcripts:
    """All texts after the rules; folded again."""

    def changed(text: str) -> str:
        if "ignore_time_segment" in text.lower():
            return text
        return folded(rules.apply(text), fold)

    segments = [segment._replace(text=changed(segment.text)) for segment in transcripts.segments]
    words: dict[Side, list[TimedWord]] = {
        side: [new for word in row for new in _timed(word, word.text if word.is_mark else changed(word.text))]
        for side, row in transcripts.words.items()
    }
    return replace(transcripts, segments=segments, words=words)


def _timed(word: TimedWord, text: str) -> list[TimedWord]:
    """What a timed word became; the words of one alternative share its time evenly, in milliseconds."""
    if text == word.text:
        return [word]
    choices = [choice.split() for choice in text.replace("{", " ").replace("}", " ").split("/")]
    inside = word.in_alternation or len(choices) > 1
    found: list[TimedWord] = []
    for index, choice in enumerate(choices):
        if len(choices) > 1:
            found.append(TimedWord("<alt>" if index else "<alt_begin>", 0.0, 0.0, None, True))
        for place, said in enumerate(choice):
            duration_s = word.duration_s / len(choice)
            start_s = round(word.start_s + duration_s * place, 3)
            found.append(TimedWord(said, start_s, round(duration_s, 3), word.confidence, inside))
    if len(choices) > 1:
        found.append(TimedWord("<alt_end>", 0.0, 0.0, None, True))
    return found
