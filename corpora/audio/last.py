"""The recording that was opened last, kept: the segments of one file come one after the other.

Also the length that a recording states without being decoded.
"""

from __future__ import annotations

import io
from collections.abc import Iterable
from contextlib import suppress

import soundfile

from corpora.audio import containers
from corpora.audio.decoding import decode, decode_flacs
from corpora.audio.film_facts import probe
from corpora.audio.films import decode_film
from corpora.audio.long import LONG_BYTES, _decode_long, is_long
from corpora.audio.recording import AHEAD_BYTES, Recording
from corpora.errors import SourceError
from corpora.importer import AudioRef
from corpora.sources.source import Source


def stated_length_s(source: Source, member: str) -> float | None:
    """The length a recording states in its header, seconds; None where it states none. Nothing is decoded."""
    try:
        with source.local_file(member) as path:
            try:
                return float(soundfile.info(str(path)).duration)
            except Exception:  # whatever soundfile makes of it
                stated = probe(path)
                return None if stated is None else stated.promised_s
    except SourceError:
        return None


def open_recording(source: Source, ref: AudioRef) -> Recording:
    """Decode the file a reference names, through memory where it is short, through a file where it is long.

    Raises:
        AudioError: as `audio.decode`; also a film with several sounds of which none was chosen.
        SourceError: it cannot be read.
    """
    member = ref.member
    with source.open(member) as stream:
        kind = containers.kind_of(stream.read(4096))
    if kind == "other":
        with source.local_file(member) as path:
            return decode_film(path, ref.track)
    if kind == "sphere":
        return decode(source.read_bytes(member), ref.accept_checksum_mismatch)
    if source.member(member).size * 16 < LONG_BYTES:
        data = source.read_bytes(member)
        if not is_long(io.BytesIO(data), kind):
            return decode(data)
        with source.local_file(member) as path:
            return _decode_long(path, kind)
    with source.local_file(member) as path:
        if is_long(path, kind):
            return _decode_long(path, kind)
    return decode(source.read_bytes(member))


class LastRecording:
    """The recording decoded last: an importer that looks at the sound and the cutting of it share one decoding."""

    def __init__(self) -> None:
        self._source: Source | None = None
        self._key: tuple[str, int | None, bool] | None = None
        self._recording: Recording | None = None
        self._ahead: dict[str, Recording] = {}
        self._ahead_in: Source | None = None

    def forget(self) -> None:
        """Hold nothing any more."""
        self._source = self._key = self._recording = self._ahead_in = None
        self._ahead = {}

    def look_ahead(self, source: Source, refs: Iterable[AudioRef]) -> None:
        """Decode the short FLAC files among those that will be opened next, all at once; the others wait for `open`.

        Args:
            refs: some 16 utterances: what they hold is in memory together.
        """
        self._ahead, self._ahead_in = {}, source
        names = [name for name in dict.fromkeys(ref.member for ref in refs) if _is_short_flac(source, name)]
        if len(names) < 2:
            return
        files = {}
        for name in names:
            with suppress(SourceError):  # told by `open`
                files[name] = source.read_bytes(name)
        decoded = zip(files, decode_flacs([*files.values()]), strict=True)
        self._ahead = {name: recording for name, recording in decoded if recording is not None}

    def open(self, source: Source, ref: AudioRef) -> Recording:
        """`open_recording`, or what it gave for the same file the last time."""
        key = (ref.member, ref.track, ref.accept_checksum_mismatch)
        if self._recording is None or source is not self._source or key != self._key:
            self._recording = self._ahead.pop(ref.member, None) if source is self._ahead_in else None
            if self._recording is None:
                self._recording = open_recording(source, ref)
            self._source, self._key = source, key
        return self._recording


def _is_short_flac(source: Source, name: str) -> bool:
    try:
        return name.lower().endswith(".flac") and source.member(name).size < AHEAD_BYTES
    except SourceError:
        return False


LAST = LastRecording()  # of this process
