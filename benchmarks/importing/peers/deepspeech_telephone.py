"""The flow of DeepSpeech's Fisher and Switchboard importers: sph2pipe, librosa, WAV cuts, CSV. LAYOUT SOURCE FOLDER.

Written anew after reading what import_fisher.py and import_swb.py do; nothing of them is copied. Both start one
sph2pipe child per channel of a call, which writes a WAV. Fisher: both are loaded by librosa at 16 kHz, cuts written by
soundfile. Switchboard: each is loaded by librosa, written whole at 16 kHz, and cut by `wave`. Then a CSV per split by
pandas. librosa resamples with its default, which today is soxr HQ (in its days it was the dearer resampy).
"""

import random
import subprocess
import sys
import unicodedata
import wave
from pathlib import Path

import librosa
import pandas
import soundfile
from telephone_lines import lines_of

RATE_HZ = 16000
COLUMNS = ["wav_filename", "wav_filesize", "transcript"]


def channel_wav(call: Path, channel: int, target: Path) -> Path:
    """One side of a call, counted from 1, as 16-bit WAV at its own rate."""
    subprocess.check_call(["sph2pipe", "-c", str(channel), "-p", "-f", "rif", str(call), str(target)])
    return target


def ascii_of(text: str) -> str:
    """The text without what is not ASCII."""
    return unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode("ascii").lower().strip()


def fisher(source: Path, folder: Path) -> list[tuple[str, int, str]]:
    """Whole sides in memory at 16 kHz, cut there."""
    calls = sorted(source.rglob("*.sph"))
    whole = folder / "whole"
    whole.mkdir()
    for call in calls:
        for side in (1, 2):
            channel_wav(call, side, whole / f"{call.stem}_c{side}.wav")
    rows = []
    for call in calls:
        sides = [
            librosa.load(whole / f"{call.stem}_c{side}.wav", sr=RATE_HZ, mono=False)[0] for side in (1, 2)
        ]
        for side, start, end, text in lines_of("fisher", call.stem, source):
            target = folder / f"{call.stem}-{start}-{end}.wav"
            piece = sides[side][int(start * RATE_HZ) : int(end * RATE_HZ)]
            soundfile.write(target, piece, RATE_HZ, "PCM_16")
            rows.append((str(target.absolute()), target.stat().st_size, ascii_of(text)))
    return rows


def switchboard(source: Path, folder: Path) -> list[tuple[str, int, str]]:
    """Whole sides as files at 16 kHz, cut from there."""
    calls = sorted(source.rglob("*.sph"))
    whole = folder / "whole"
    whole.mkdir()
    for call in calls:
        for side in (1, 2):
            narrow = channel_wav(call, side, whole / f"{call.stem}-{side}-temp.wav")
            samples, rate_hz = librosa.load(narrow, sr=RATE_HZ, mono=True)
            soundfile.write(whole / f"{call.stem}-{side}.wav", samples, rate_hz, "PCM_16")
            narrow.unlink()
    rows = []
    for call in calls:
        for side, start, end, text in lines_of("switchboard", call.stem, source):
            target = folder / f"{call.stem}-{side}-{start}-{end}.wav"
            cut_wav(whole / f"{call.stem}-{side + 1}.wav", start, end, target)
            rows.append((str(target.absolute()), target.stat().st_size, ascii_of(text)))
    return rows


def cut_wav(whole: Path, start: float, end: float, target: Path) -> None:
    """A stretch of a WAV as another one."""
    with wave.open(str(whole), "rb") as recording, wave.open(str(target), "wb") as piece:
        recording.setpos(int(start * RATE_HZ))
        frames = recording.readframes(int((end - start) * RATE_HZ))
        piece.setnchannels(recording.getnchannels())
        piece.setsampwidth(recording.getsampwidth())
        piece.setframerate(RATE_HZ)
        piece.writeframes(frames)


layout, archive, out = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
found = fisher(archive, out) if layout == "fisher" else switchboard(archive, out)
random.Random(1).shuffle(found)
tenth = len(found) // 10
for part, chosen in (
    ("test", found[:tenth]),
    ("dev", found[tenth : 2 * tenth]),
    ("train", found[2 * tenth :]),
):
    pandas.DataFrame(chosen, columns=COLUMNS).to_csv(out / f"{layout}-{part}.csv", index=False)
