"""What a file says of its own length where decoders believe whatever is there: WAV, Wave64 and Ogg.

Reads headers and pages, decodes nothing.
"""

from __future__ import annotations

import mmap
from pathlib import Path

from corpora.audio.ogg_pages import check_ogg
from corpora.audio.wav_chunks import wav_layout
from corpora.errors import AudioError

_WAVE64 = b"riff\x2e\x91\xcf\x11"
_NAMED = {"audio_truncated", "audio_corrupt"}


def lack_of(path: Path) -> str | None:
    """What is missing of a file that was cut short or changed, or None where nothing shows it.

    Raises:
        OSError: the file cannot be read.
    """
    with path.open("rb") as file:
        head = file.read(24)
        if len(head) < 24:
            return None
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            try:
                if head[:4] in {b"RIFF", b"RF64", b"RIFX"} and head[8:12] == b"WAVE":
                    wav_layout(data)
                elif head[:4] == b"OggS":
                    check_ogg(data)
                elif head[:8] == _WAVE64:
                    _check_wave64(head, len(data))
            except AudioError as error:
                return str(error) if error.check in _NAMED else None
    return None


def _check_wave64(head: bytes, there: int) -> None:
    declared = int.from_bytes(head[16:24], "little")
    if there < declared < 1 << 62:
        raise AudioError("audio_truncated", f"{declared} bytes declared, {there} there: cut short")
