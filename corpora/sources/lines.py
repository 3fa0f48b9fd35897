"""Lines of a text file, decoded one by one, so that one bad line costs only itself."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class TextLine:
    """One line of a text file. `text` is None where it is not UTF-8; `problem` then says what and where."""

    number: int
    text: str | None
    problem: str = ""


def decode_lines(data: bytes, encoding: str = "utf-8") -> Iterator[TextLine]:
    """Lines of a text, strictly decoded one by one, so that one bad line costs only itself."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        text = data.decode("utf-16", errors="replace")
        for number, line in enumerate(text.splitlines(), 1):
            bad = "�" in line
            yield TextLine(number, None if bad else line, "not valid UTF-16" if bad else "")
        return
    offset = 3 if data.startswith(b"\xef\xbb\xbf") else 0
    stream = io.BytesIO(data[offset:])
    for number, raw in enumerate(stream, 1):
        try:
            yield TextLine(number, raw.decode(encoding).rstrip("\r\n"))
        except UnicodeDecodeError as error:
            at = offset + error.start
            yield TextLine(
                number, None, f"byte 0x{raw[error.start]:02x} at offset {at} of the file is not {encoding}"
            )
        offset += len(raw)
