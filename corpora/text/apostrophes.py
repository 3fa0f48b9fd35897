"""Apostrophes between and around words: detached clitics joined, quotation marks dropped.

Both take and give lower-case words in order; neither ever joins two words that are not in the closed lists.
"""

from __future__ import annotations

from corpora.text.tables import CLITICS, LEADING_APOSTROPHE, TRAILING_APOSTROPHE


def join_clitics(words: list[str]) -> list[str]:
    """`it 's` → `it's`, `students '` → `students'`, `' cause` → `'cause`; `tell 'em` stays two words."""
    joined: list[str] = []
    pending = ""
    for index, word in enumerate(words):
        following = words[index + 1] if index + 1 < len(words) else ""
        if word == "'":
            if following in LEADING_APOSTROPHE:
                pending = "'"
            elif joined and joined[-1].endswith("s"):
                joined[-1] += "'"
        elif word in CLITICS and joined and not joined[-1].endswith("'"):
            joined[-1] += word
        else:
            joined.append(pending + word)
            pending = ""
    return joined


def unquote(words: list[str]) -> list[str]:
    """Drop apostrophes at word edges that are quotation marks; keep `'em`, `students'`, `goin'`."""
    opened = False
    plain = []
    for word in words:
        core = word.strip("'")
        if word.startswith("'") and core not in LEADING_APOSTROPHE:
            opened = True
        head = "'" if word.startswith("'") and core in LEADING_APOSTROPHE else ""
        tail = ""
        if word.endswith("'"):
            owns = core.endswith(("s", "in")) or core in TRAILING_APOSTROPHE
            tail = "'" if owns and not opened else ""
            opened = False
        plain.append(head + core + tail)
    return plain
