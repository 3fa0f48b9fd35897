"""What a browser recorded → mono int16 at 16 kHz, decoded by ffmpeg in a process of its own under limits.

Only WebM, Ogg, MP4 and WAV are taken, told by their first bytes and not by what the sender says; only the formats and
codecs that browsers write are opened; processor time, memory, output and wall time end somewhere. What is stored later
is encoded anew from the samples: no byte of an upload reaches the disk under a final name.
"""

from __future__ import annotations

import subprocess
import threading
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from collect.errors import RefusedSoundError, TooManyError

RATE_HZ = 16_000
_WALL_S = 20.0
_MEMORY_KB = 1_500_000
_CODECS = "opus,libopus,vorbis,libvorbis,aac,pcm_s16le,pcm_s24le,pcm_f32le,pcm_u8"

Samples = npt.NDArray[np.int16]


@dataclass(frozen=True)
class Kind:
    """A container: its demuxer and what ffmpeg may open for it."""

    demuxer: str
    formats: str


_WEBM = Kind("matroska", "matroska,webm")
_OGG = Kind("ogg", "ogg")
_MP4 = Kind("mov", "mov,mp4,m4a,3gp,3g2,mj2")
_WAV = Kind("wav", "wav")


def kind_of(head: bytes) -> Kind | None:
    """The container by its first bytes (at least 64), or None."""
    if head[:4] == b"\x1a\x45\xdf\xa3" and b"webm" in head[:64]:
        return _WEBM
    if head[:4] == b"OggS" and b"OpusHead" in head[:64]:
        return _OGG
    if head[4:8] == b"ftyp":
        return _MP4
    if head[:4] == b"RIFF" and head[8:12] == b"WAVE":
        return _WAV
    return None


class Decoder:
    """Decodes a few recordings at once; others wait for their turn.

    Args:
        at_once: processes at the same time.
        longest_s: sound beyond it is not decoded; a recording as long as that is refused.
    """

    def __init__(self, at_once: int, longest_s: float) -> None:
        self._turns = threading.BoundedSemaphore(at_once)
        self.longest_s = longest_s

    def decode(self, path: Path) -> Samples:
        """The samples of an upload, int16 `[n]`, n ≥ 1.

        Raises:
            RefusedSoundError: another kind of file, damaged, empty or too long; the check names which.
            TooManyError: no turn came in time.
        """
        with path.open("rb") as stream:
            kind = kind_of(stream.read(64))
        if kind is None:
            raise RefusedSoundError(
                "wrong_type", "this is not a recording that a browser makes (WebM, Ogg, MP4, WAV)"
            )
        if not self._turns.acquire(timeout=_WALL_S):
            raise TooManyError("many recordings are being checked at the moment; try again", 5)
        try:
            data = self._ffmpeg(path, kind)
        finally:
            self._turns.release()
        samples = np.frombuffer(data[: len(data) // 2 * 2], dtype="<i2")
        if len(samples) == 0:
            raise RefusedSoundError("undecodable", "there is no sound in this recording")
        if len(samples) >= int(self.longest_s * RATE_HZ):
            raise RefusedSoundError("too_long", f"longer than {self.longest_s:.0f} s")
        return samples.astype(np.int16)

    def _ffmpeg(self, path: Path, kind: Kind) -> bytes:
        seconds = f"{self.longest_s + 0.1:.1f}"
        command = [
            "ffmpeg", "-nostdin", "-hide_banner", "-v", "error", "-threads", "1", "-protocol_whitelist", "file",
            "-format_whitelist", kind.formats, "-codec_whitelist", _CODECS, "-f", kind.demuxer, "-t", seconds,
            "-i", f"file:{path}", "-map", "0:a:0", "-vn", "-sn", "-dn", "-ac", "1", "-ar", str(RATE_HZ),
            "-t", seconds, "-f", "s16le", "-threads", "1", "pipe:1",
        ]  # fmt: skip
        # The shell sets the limits and becomes ffmpeg: no code of ours runs between fork and exec.
        limited = ["sh", "-c", f'ulimit -t 10 -v {_MEMORY_KB} -f 0; exec "$@"', "sh", *command]
        try:
            done = subprocess.run(
                limited, capture_output=True, timeout=_WALL_S, check=False, env={"PATH": _PATH}
            )
        except subprocess.TimeoutExpired as error:
            raise RefusedSoundError(
                "undecodable", "decoding took too long: the file is not a usual recording"
            ) from error
        if done.returncode != 0 and not done.stdout:
            raise RefusedSoundError(
                "undecodable", "the recording is damaged or of a kind that browsers do not make"
            )
        return done.stdout


_PATH = "/usr/local/bin:/usr/bin:/bin"
