"""The normaliser of the Open ASR leaderboard for English, written from its description.

Bracketed text and um, uh, hmm go; contractions are spelled out; accents and signs go except in amounts; number
words become figures (`numbers.py`); British spellings become American (`spellings.py`). Where the description
leaves a choice open, ours may differ from the leaderboard's own program: rates by it are named `english` here.
"""

from __future__ import annotations

import re
import unicodedata

from scoring.normalisers.basic import BRACKETED, IN_PARENTHESES
from scoring.normalisers.numbers import with_figures
from scoring.normalisers.spellings import american

_FILLERS = re.compile(r"\b(hmm|mm|mhm|mmm|uh|um)\b")
_WHOLE = {
    "won't": "will not", "can't": "can not", "let's": "let us", "ain't": "aint", "y'all": "you all",
    "wanna": "want to", "gotta": "got to", "gonna": "going to", "i'ma": "i am going to",
    "imma": "i am going to", "woulda": "would have", "coulda": "could have", "shoulda": "should have",
    "ma'am": "madam", "mr": "mister", "mrs": "missus", "st": "saint", "dr": "doctor", "prof": "professor",
    "capt": "captain", "gov": "governor", "gen": "general", "sen": "senator", "rep": "representative",
    "rev": "reverend", "hon": "honorable", "asst": "assistant", "assoc": "associate", "lt": "lieutenant",
    "col": "colonel", "jr": "junior", "sr": "senior", "esq": "esquire",
}  # fmt: skip
_WORDS = re.compile(r"\b(" + "|".join(sorted(map(re.escape, _WHOLE), key=len, reverse=True)) + r")\b(?!')")
# `'d` and `'s` stand for several words; before these participles for had and has.
_BEFORE_PARTICIPLE = re.compile(r"'(d|s) (been|gone|done|got)\b")
_ENDINGS = (
    ("n't", " not"), ("'re", " are"), ("'s", " is"), ("'d", " would"), ("'ll", " will"), ("'t", " not"),
    ("'ve", " have"), ("'m", " am"),
)  # fmt: skip
_LETTERS = str.maketrans({"œ": "oe", "ø": "o", "æ": "ae", "ß": "ss", "đ": "d", "ð": "d", "þ": "th", "ł": "l"})
_IN_AMOUNTS = ".%$¢€£"


def normalise(text: str) -> str:
    """One utterance."""
    text = text.lower().replace("’", "'").replace("‘", "'")
    text = IN_PARENTHESES.sub("", BRACKETED.sub("", text))
    text = re.sub(r"\s+'", "'", _FILLERS.sub("", text))
    text = _WORDS.sub(lambda match: _WHOLE[match[1]], text)
    text = _BEFORE_PARTICIPLE.sub(lambda match: (" had " if match[1] == "d" else " has ") + match[2], text)
    for ending, spelled in _ENDINGS:
        text = re.sub(rf"{ending}\b", spelled, text)
    text = re.sub(r"(\d),(?=\d)", r"\1", text)
    text = re.sub(r"\.(?!\d)", " ", text)
    text = _letters_and_amounts(text)
    words = with_figures(text.split())
    return " ".join(" ".join(_without_stray_signs(american(word)) for word in words).split())


def _letters_and_amounts(text: str) -> str:
    """Accents away, signs to blanks, but for those of amounts."""
    decomposed = unicodedata.normalize("NFKD", text.translate(_LETTERS))
    kept = []
    for sign in decomposed:
        category = unicodedata.category(sign)
        if category == "Mn":
            continue
        kept.append(" " if category[0] in "MSP" and sign not in _IN_AMOUNTS else sign)
    return "".join(kept)


def _without_stray_signs(word: str) -> str:
    """Signs of amounts only beside figures."""
    word = re.sub(r"[.$¢€£](?!\d)", " ", word)
    return re.sub(r"(?<!\d)%", " ", word)
