"""Text that is not UTF-8, decided line by line: one odd byte costs its own line and no other.

A line that is no UTF-8 is read as Windows-1252 (of which Latin-1 text is a part). One that holds both bytes that
are no UTF-8 and letters that only UTF-8 writes is no certain text in either: its odd bytes become U+FFFD, so that
the sentence is refused and counted. Other encodings are not guessed.
"""

from __future__ import annotations

ODD = "\ufffd"
"""Stands for a byte that no encoding explains; in no alphabet."""


def as_utf8(data: bytes) -> tuple[bytes, int]:
    """The text as UTF-8, and how many of its lines were not."""
    lines = data.splitlines(keepends=True)
    mended = {number: _line(line) for number, line in enumerate(lines) if not _is_utf8(line)}
    for number, line in mended.items():
        lines[number] = line
    return b"".join(lines), len(mended)


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _line(line: bytes) -> bytes:
    both = not line.decode("utf-8", "ignore").isascii()
    return line.decode("utf-8" if both else "cp1252", "replace").encode("utf-8")
