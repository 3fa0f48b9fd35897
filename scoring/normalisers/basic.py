"""The normaliser of any language: lower case, no bracketed text, signs become blanks; letters and accents stay."""

from __future__ import annotations

import re
import unicodedata

BRACKETED = re.compile(r"[<\[][^>\]]*[>\]]")
IN_PARENTHESES = re.compile(r"\([^()]*\)")
_SIGNS = "MSP"  # marks, symbols, punctuation by Unicode's categories


def normalise(text: str) -> str:
    """One utterance; NFKC, so that composed and decomposed letters are one."""
    text = IN_PARENTHESES.sub("", BRACKETED.sub("", text.lower()))
    text = unicodedata.normalize("NFKC", text)
    kept = (" " if unicodedata.category(sign)[0] in _SIGNS else sign for sign in text)
    return " ".join("".join(kept).split())
