"""Brackets that a pattern would look for in quadratic time: `((…))` and the time tail of TED-LIUM's lines."""

from __future__ import annotations

import re
from collections.abc import Callable

_TED_TAIL = re.compile(r"\([^\s()]*-[0-9]+\.[0-9]+-[0-9]+\.[0-9]+\)")


def replace_double_round(text: str, said: Callable[[str], str]) -> str:
    """The text with every `((…))` replaced by what is made of its inside; one that does not close stays."""
    kept = []
    at = 0
    while (begin := text.find("((", at)) >= 0:
        end = text.find("))", begin + 2)
        if end < 0:
            break
        kept += [text[at:begin], said(text[begin + 2 : end])]
        at = end + 2
    return "".join([*kept, text[at:]])


def without_ted_tail(text: str) -> str:
    """The text without `(AnnaSmith_2010-12.30-15.04)` at its end."""
    bare = text.rstrip()
    begin = bare.rfind("(")
    if begin < 0 or len(bare) - begin > 200 or not _TED_TAIL.fullmatch(bare, begin):
        return text
    return bare[:begin].rstrip()
