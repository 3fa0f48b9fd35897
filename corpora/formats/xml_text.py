"""Donated XML, read without its tricks: no DTD is fetched, no entity resolved, nothing taken from the network.

A DOCTYPE line that only names a DTD is allowed (Transcriber writes one); the file behind it is never opened.
"""

from __future__ import annotations

from typing import Any
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

from corpora.formats.cues import TranscriptError

MAX_BYTES = 64 << 20
MAX_DEPTH = 200  # what reads the tree goes down by calls


class _Numbered(DefusedXMLParser):
    """Remembers the line of every start tag, in document order."""

    def __init__(self) -> None:
        super().__init__(forbid_dtd=False, forbid_entities=True, forbid_external=True)
        self.lines: list[int] = []
        self._depth = 0

    def _start(self, tag: str, attributes: list[str]) -> Any:
        line = self.parser.CurrentLineNumber
        self.lines.append(line)
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise TranscriptError(
                "bad_xml", f"elements stand more than {MAX_DEPTH} deep in line {line}", line
            )
        return super()._start(tag, attributes)  # type: ignore[misc]

    def _end(self, tag: str) -> Any:
        self._depth -= 1
        return super()._end(tag)  # type: ignore[misc]


def parse_xml(data: bytes) -> tuple[Element, dict[Element, int]]:
    """The root of a document, and the line of every element.

    Raises:
        TranscriptError: not well formed, an entity in it, or too big; says where.
    """
    if len(data) > MAX_BYTES:
        raise TranscriptError("transcript_too_big", f"{len(data)} bytes of XML, at most {MAX_BYTES}")
    parser = _Numbered()
    try:
        parser.feed(data)
        root: Element = parser.close()
    except DefusedXmlException as error:
        raise TranscriptError("unsafe_xml", f"declares entities, which are not resolved ({error})") from error
    except ParseError as error:
        line, column = error.position
        offset = sum(map(len, data.split(b"\n")[: line - 1])) + line - 1 + column
        raise TranscriptError(
            "bad_xml", f"not well formed at line {line}, offset {offset}: {error}", line
        ) from error
    except (ValueError, LookupError) as error:
        raise TranscriptError("encoding", f"the XML cannot be decoded: {error}") from error
    return root, dict(zip(root.iter(), parser.lines, strict=True))


def local(element: Element) -> str:
    """The name of an element without its namespace."""
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""
