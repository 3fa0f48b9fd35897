"""An alphabet from text: which letters it holds, how often, and which ones a person should look at.

Lower case, Unicode NFC. Letters and the marks that belong to them count, and the apostrophe inside words; digits,
punctuation and symbols do not. A letter that is rarer than `RARE_SHARE` of all letters, or seen fewer than `RARE_COUNT`
times, is left out and listed in comments for review, because a misspelt name in another script must not become an
output of the network.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from native import Alphabet

RARE_SHARE, RARE_COUNT = 1e-5, 5
MANY_LABELS = 255
"""More labels than the bytes of UTF-8: an alphabet of bytes is worth a thought."""

_UNSPACED = ("CJK", "HIRAGANA", "KATAKANA", "THAI", "LAO", "KHMER", "MYANMAR", "TIBETAN", "YI ", "JAVANESE")
_APOSTROPHES = "'’ʼ"


@dataclass(frozen=True)
class Letters:
    """Counts of all letters found; `kept` in the order of code points, `rare` most frequent first.

    `spaced`: blanks divide the words. `lines_not_utf8`: by file, lines that were read as Windows-1252.
    """

    counts: Counter[str]
    kept: tuple[str, ...]
    rare: tuple[str, ...]
    spaced: bool
    sources: tuple[str, ...]
    lines_not_utf8: dict[str, int]

    @property
    def total(self) -> int:
        """How many letters were read."""
        return self.counts.total()

    def alphabet(self) -> Alphabet:
        """The kept letters as labels: the space first where the text has words, the apostrophe last."""
        letters = [letter for letter in self.kept if letter != "'"]
        return Alphabet([*([" "] if self.spaced else []), *letters, *(["'"] if "'" in self.kept else [])])

    def file_text(self) -> str:
        """The alphabet file: counts and rare letters as comments, then one label per line."""
        lines = [
            f"# {len(self.kept)} letters of {self.total:,} read from {', '.join(self.sources)}",
            f"# left out for review: seen fewer than {RARE_COUNT} times, or in fewer than 1 of "
            f"{round(1 / RARE_SHARE):,} letters",
        ]
        if len(self.kept) > MANY_LABELS:
            lines.append(
                f"# more than {MANY_LABELS} labels: consider the bytes of UTF-8 (python -m lm alphabet --bytes)"
            )
        lines += [
            f"# {name}: {n:,} lines no UTF-8, read as Windows-1252" for name, n in self.lines_not_utf8.items()
        ]
        lines += [f"# {_named(letter)}: {self.counts[letter]:,}" for letter in self.kept]
        lines += [f"# rare, left out: {_named(letter)}: {self.counts[letter]:,}" for letter in self.rare]
        return "\n".join(lines) + "\n" + self.alphabet_lines()

    def alphabet_lines(self) -> str:
        """One label per line, as the network counts them."""
        return "".join(f"{label}\n" for label in self.alphabet().labels)


def letters_of(texts: Iterable[str], sources: tuple[str, ...]) -> Letters | None:
    """The letters of texts; None where there is none. `sources` are named in the file."""
    counts: Counter[str] = Counter()
    blanks = 0
    for text in texts:
        prepared = unicodedata.normalize("NFC", text.lower())
        blanks += prepared.count(" ")
        counts.update(prepared)
    for sign in _APOSTROPHES[1:]:
        counts["'"] += counts.pop(sign, 0)
    letters = Counter({sign: n for sign, n in counts.items() if n and (sign == "'" or _is_letter(sign))})
    if not letters.total() - letters["'"]:
        return None
    floor = max(RARE_COUNT, letters.total() * RARE_SHARE)
    kept = sorted(letter for letter, n in letters.items() if n >= floor)
    rare = sorted(
        (letter for letter, n in letters.items() if n < floor), key=lambda one: (-letters[one], one)
    )
    spaced = blanks * 50 > letters.total() or not _mostly_unspaced(letters)
    return Letters(letters, tuple(kept), tuple(rare), spaced, sources, {})


def _mostly_unspaced(letters: Counter[str]) -> bool:
    """Whether most letters are of scripts that put no blank between words; a list of words has none either."""
    unspaced = sum(n for letter, n in letters.items() if unicodedata.name(letter, "").startswith(_UNSPACED))
    return 2 * unspaced > letters.total()


def _is_letter(sign: str) -> bool:
    """Letters, and marks that no composed letter holds (Indic vowel signs, Hebrew points)."""
    return unicodedata.category(sign)[0] in "LM"


def _named(letter: str) -> str:
    shown = f"◌{letter}" if unicodedata.category(letter)[0] == "M" else letter
    return f"{shown} (U+{ord(letter):04X})"
