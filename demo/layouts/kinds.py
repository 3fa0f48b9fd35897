"""Recordings of sentences that can be told apart by ear, in every container and odd form that writers leave.

A sentence is a row of short chords that no other sentence has, so that a program can say which one sounds at a place,
also after a lossy codec. `FORMS` are files as programs write them, whole; `ODD` are whole files that say odd things of
themselves. What damages them stands in faults.py and here in `DAMAGE`.
"""

from __future__ import annotations

import csv
import io
import json
import random
import re
import struct
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import soundfile

from demo.layouts import RATE_HZ, Samples
from demo.layouts.faults import (
    Fault,
    cut,
    cut_a_little,
    hole,
    some_bits,
    stretch_doubled,
    stretch_inserted,
    stretch_lost,
)

SENTENCES = (
    "one red green two",
    "three it's four red five",
    "don't green six seven",
    "eight nine red ten one",
    "two four green six eight",
    "seven red don't three",
    "five five red nine two",
    "ten it's green seven four",
)
_CHORD_S = 0.08
_LEAD_S, _GAP_S = 0.3, 0.4

LATE = "late"  # in the maker's folder: how many seconds after the film the last late sound begins

Placed = list[tuple[float, float, str]]  # beginning, end in seconds, sentence


def sound_of(sentence: str) -> Samples:
    """The sound of a sentence: int16 at 16 kHz, 1.2 to 1.8 s, the same at every call."""
    chance = np.random.default_rng(SENTENCES.index(sentence) + 100)
    chords = []
    at = np.arange(round(_CHORD_S * RATE_HZ)) / RATE_HZ
    window = np.hanning(len(at))
    for _ in range(15 + SENTENCES.index(sentence)):
        tones = chance.uniform(250, 3000, 3)
        chords.append(window * sum(np.sin(2 * np.pi * hz * at + chance.uniform(0, 6)) for hz in tones))
    return np.asarray(np.concatenate(chords) * 5000, dtype=np.int16)


def talk(sentences: Sequence[str]) -> tuple[Samples, Placed]:
    """Sentences one after the other, and where each one is."""
    pieces, places = [np.zeros(round(_LEAD_S * RATE_HZ), dtype=np.int16)], []
    for sentence in sentences:
        begins = sum(map(len, pieces)) / RATE_HZ
        pieces.append(sound_of(sentence))
        places.append((begins, sum(map(len, pieces)) / RATE_HZ, sentence))
        pieces.append(np.zeros(round(_GAP_S * RATE_HZ), dtype=np.int16))
    return np.concatenate(pieces), places


def wav(samples: Samples, subtype: str = "PCM_16", kind: str = "WAV") -> bytes:
    """A file as libsndfile writes it; real numbers lie between -1 and 1."""
    out = io.BytesIO()
    real = subtype in ("FLOAT", "DOUBLE")
    soundfile.write(out, samples / 32768 if real else samples, RATE_HZ, format=kind, subtype=subtype)
    return out.getvalue()


def ffmpeg(samples: Samples, folder: Path, suffix: str, *arguments: str) -> bytes:
    """A file as FFmpeg writes it; arguments in front of `--` stand before the sound, as a further input and its shift."""
    source, target = folder / "in.wav", folder / f"out.{suffix}"
    source.write_bytes(wav(samples))
    inputs = arguments[: arguments.index("--")] if "--" in arguments else ()
    outputs = arguments[len(inputs) + 1 :] if "--" in arguments else arguments
    command = ["ffmpeg", "-nostdin", "-y", "-v", "error", *inputs, "-i", str(source), *outputs, str(target)]
    subprocess.run(command, check=True, timeout=120)
    return target.read_bytes()


Maker = Callable[[Samples, Path, random.Random], bytes]
PICTURES = ("-f", "lavfi", "-i", "testsrc=s=32x32:r=25:d=12")


def _sndfile(kind: str, subtype: str) -> Maker:
    return lambda samples, folder, chance: wav(samples, subtype, kind)


def _ffmpeg(suffix: str, *arguments: str) -> Maker:
    return lambda samples, folder, chance: ffmpeg(samples, folder, suffix, *arguments)


FORMS: dict[str, tuple[str, Maker]] = {
    "wav": ("wav", _sndfile("WAV", "PCM_16")),
    "wav 24 bits": ("wav", _sndfile("WAV", "PCM_24")),
    "wav of real numbers": ("wav", _sndfile("WAV", "FLOAT")),
    "wav mu-law": ("wav", _sndfile("WAV", "ULAW")),
    "wav IMA": ("wav", _sndfile("WAV", "IMA_ADPCM")),
    "wav GSM": ("wav", _sndfile("WAV", "GSM610")),
    "w64": ("w64", _sndfile("W64", "PCM_16")),
    "rf64": ("wav", _sndfile("RF64", "PCM_16")),
    "aiff": ("aiff", _sndfile("AIFF", "PCM_16")),
    "au": ("au", _sndfile("AU", "PCM_16")),
    "caf": ("caf", _sndfile("CAF", "PCM_16")),
    "flac": ("flac", _sndfile("FLAC", "PCM_16")),
    "ogg": ("ogg", _sndfile("OGG", "VORBIS")),
    "opus": ("opus", _sndfile("OGG", "OPUS")),
    "oga": ("oga", _ffmpeg("oga", "-c:a", "flac")),
    "spx": ("spx", _ffmpeg("spx", "-c:a", "libspeex")),
    "mp3": ("mp3", _ffmpeg("mp3", "-b:a", "48k")),
    "mp3 vbr": ("mp3", _ffmpeg("mp3", "-q:a", "4")),
    "mp2": ("mp2", _ffmpeg("mp2", "-b:a", "64k")),
    "ac3": ("ac3", _ffmpeg("ac3", "-ar", "48000")),
    "aac": ("aac", _ffmpeg("aac", "-b:a", "48k")),
    "m4a": ("m4a", _ffmpeg("m4a", "-c:a", "aac")),
    "m4b": ("m4b", _ffmpeg("m4b", "-c:a", "aac", "-f", "ipod")),
    "mka": ("mka", _ffmpeg("mka", "-c:a", "flac")),
    "webm": ("webm", _ffmpeg("webm", "-c:a", "libopus")),
    "wma": ("wma", _ffmpeg("wma", "-c:a", "wmav2")),
    "tta": ("tta", _ffmpeg("tta", "-c:a", "tta")),
    "wv": ("wv", _ffmpeg("wv", "-c:a", "wavpack")),
    "mp4": ("mp4", _ffmpeg("mp4", *PICTURES, "--", "-c:v", "mpeg4", "-c:a", "aac")),
    "mov": ("mov", _ffmpeg("mov", *PICTURES, "--", "-c:v", "mpeg4", "-c:a", "pcm_s16le")),
    "mkv": ("mkv", _ffmpeg("mkv", *PICTURES, "--", "-c:v", "mpeg4", "-c:a", "aac")),
    "avi": ("avi", _ffmpeg("avi", *PICTURES, "--", "-c:v", "mpeg4", "-c:a", "libmp3lame")),
    "flv": ("flv", _ffmpeg("flv", *PICTURES, "--", "-c:v", "flv", "-c:a", "libmp3lame", "-ar", "44100")),
    "wmv": ("wmv", _ffmpeg("wmv", *PICTURES, "--", "-c:v", "wmv2", "-c:a", "wmav2")),
    "ts": ("ts", _ffmpeg("ts", *PICTURES, "--", "-c:v", "mpeg2video", "-c:a", "ac3", "-ar", "48000")),
    "m2ts": ("m2ts", _ffmpeg("m2ts", *PICTURES, "--", "-c:v", "mpeg2video", "-c:a", "ac3", "-ar", "48000")),
    "vob": ("vob", _ffmpeg("vob", *PICTURES, "--", "-c:v", "mpeg2video", "-c:a", "mp2", "-ar", "48000")),
    "ogv": ("ogv", _ffmpeg("ogv", *PICTURES, "--", "-c:v", "libtheora", "-c:a", "libvorbis")),
    "no suffix": ("", _sndfile("WAV", "PCM_16")),
    "another's suffix": ("mp3", _sndfile("WAV", "PCM_16")),
    "a suffix nobody knows": ("rec", _ffmpeg("m4a", "-c:a", "aac")),
}


def _late(suffix: str, *codecs: str) -> Maker:
    def make(samples: Samples, folder: Path, chance: random.Random) -> bytes:
        late_s = f"{chance.uniform(0.1, 20):.3f}"
        (folder / LATE).write_text(late_s)
        return ffmpeg(samples, folder, suffix, *PICTURES, "-itsoffset", late_s, "--", *codecs)

    return make


def _placeholder(samples: Samples, folder: Path, chance: random.Random) -> bytes:
    data = wav(samples)
    size = chance.choice([0, 0x7FFFF000, 0x80000000, 0x7FFFFFFF, 0xFFFFFFFF, 0x7FFFFFDB, 0xFFFFFFDB])
    riff = struct.pack("<I", min(size + 36, 0xFFFFFFFF))
    return data[:4] + riff + data[8:40] + struct.pack("<I", size) + data[44:]


def _odd_chunk(samples: Samples, folder: Path, chance: random.Random) -> bytes:
    data = wav(samples)
    return data[:12] + b"note" + struct.pack("<I", 5) + b"odd!!" + data[12:]


def _foreign_end(suffix: str) -> Maker:
    def make(samples: Samples, folder: Path, chance: random.Random) -> bytes:
        return FORMS[suffix][1](samples, folder, chance) + chance.randbytes(chance.randrange(1, 4000))

    return make


def _live(samples: Samples, folder: Path, chance: random.Random) -> bytes:
    (folder / "in.wav").write_bytes(wav(samples))
    command = [
        "ffmpeg",
        "-v",
        "error",
        "-i",
        str(folder / "in.wav"),
        "-c:a",
        "libopus",
        "-f",
        "webm",
        "-live",
        "1",
        "-",
    ]
    return subprocess.run(command, check=True, capture_output=True, timeout=120).stdout


ODD: dict[str, tuple[str, Maker]] = {
    "late mp4": ("mp4", _late("mp4", "-c:v", "mpeg4", "-c:a", "aac")),
    "late mkv": ("mkv", _late("mkv", "-c:v", "mpeg4", "-c:a", "aac")),
    "late mov": ("mov", _late("mov", "-c:v", "mpeg4", "-c:a", "pcm_s16le")),
    "late ts": ("ts", _late("ts", "-c:v", "mpeg2video", "-c:a", "ac3", "-ar", "48000")),
    "placeholder of a wav's length": ("wav", _placeholder),
    "wav with an odd chunk": ("wav", _odd_chunk),
    "foreign bytes behind a wav": ("wav", _foreign_end("wav")),
    "foreign bytes behind a flac": ("flac", _foreign_end("flac")),
    "webm without a length": ("webm", _live),
}


def wav_header_bit(data: bytes, chance: random.Random) -> bytes:
    """One flipped bit in what a WAV says of rate, channels and bits."""
    at = chance.randrange(22, 36)
    return data[:at] + bytes([data[at] ^ (1 << chance.randrange(8))]) + data[at + 1 :]


def not_divided(data: bytes, chance: random.Random) -> bytes:
    """Real numbers as large as the 16 bits they were made of."""
    samples, _ = soundfile.read(io.BytesIO(data), dtype="float64")
    out = io.BytesIO()
    soundfile.write(out, samples * 32768, RATE_HZ, format="WAV", subtype="FLOAT")
    return out.getvalue()


def copied_as_text(data: bytes, chance: random.Random) -> bytes:
    """Every LF became CR LF."""
    return data.replace(b"\n", b"\r\n")


def _ogg_pages(data: bytes) -> list[bytes]:
    found = [at for at in range(len(data)) if data.startswith(b"OggS", at)]
    return [data[a:b] for a, b in zip(found, [*found[1:], len(data)], strict=True)]


def page_lost(data: bytes, chance: random.Random) -> bytes:
    """A page of an Ogg is missing."""
    pages = _ogg_pages(data)
    del pages[chance.randrange(len(pages))]
    return b"".join(pages)


def page_twice(data: bytes, chance: random.Random) -> bytes:
    """A page of an Ogg stands twice."""
    pages = _ogg_pages(data)
    at = chance.randrange(len(pages))
    return b"".join([*pages[: at + 1], *pages[at:]])


_ANY: tuple[Fault, ...] = (cut, cut_a_little)
_INSIDE: tuple[Fault, ...] = (some_bits, stretch_lost, stretch_inserted, stretch_doubled, hole)
# Form → damages that leave a trace: in samples without a sum only what changes their number or their meaning.
DAMAGE: dict[str, tuple[Fault, ...]] = {
    "wav": (*_ANY, wav_header_bit, copied_as_text),
    "wav of real numbers": (*_ANY, not_divided),
    "flac": (*_ANY, *_INSIDE),
    "ogg": (*_ANY, *_INSIDE, page_lost, page_twice),
    "opus": (*_ANY, *_INSIDE, page_lost, page_twice),
    "oga": (*_ANY, *_INSIDE, page_lost),
    "spx": (*_ANY, *_INSIDE, page_lost),
    "mp3": (*_ANY, *_INSIDE),
    "mp3 vbr": (*_ANY, *_INSIDE),
    "m4a": (*_ANY, some_bits, hole),
    "mka": (*_ANY, *_INSIDE),
    "mkv": (*_ANY, hole),
    "mp4": (*_ANY, hole),
    "webm": (*_ANY, hole),
    "wv": (*_ANY, *_INSIDE),
    "tta": (*_ANY, *_INSIDE),
    "ac3": (hole, some_bits),
    "aiff": _ANY,
    "w64": _ANY,
    "caf": (cut,),
}


def _clock(seconds: float, comma: str = ",") -> str:
    ms = round(seconds * 1000)
    return f"{ms // 3600000:02d}:{ms // 60000 % 60:02d}:{ms // 1000 % 60:02d}{comma}{ms % 1000:03d}"


def srt(places: Placed) -> str:
    """Cues as every program writes them."""
    return "".join(
        f"{n}\n{_clock(a)} --> {_clock(b)}\n{text}\n\n" for n, (a, b, text) in enumerate(places, 1)
    )


def _vtt(places: Placed) -> str:
    notes = (f"NOTE a {n}\n\nNOTEBOOK-{n}\n" for n in range(len(places)))
    cues = (f"{_clock(a, '.')} --> {_clock(b, '.')}\n{text}\n\n" for a, b, text in places)
    return "WEBVTT\n\n" + "".join(note + cue for note, cue in zip(notes, cues, strict=True))


def _on_screen(places: Placed, name: str, chance: random.Random) -> bytes:
    return re.sub(r"(?m)^(?=[a-z])", r"{\\an8}", srt(places)).encode()


def _unknown_columns(places: Placed, name: str, chance: random.Random) -> bytes:
    return _csv(_rows(places, name), False).replace(b"Start,Duration", b"Alpha,Omega")


def _rows(places: Placed, name: str) -> list[dict[str, object]]:
    return [{"audio_filepath": name, "offset": a, "duration": b - a, "text": text} for a, b, text in places]


def _jsonl(rows: list[dict[str, object]]) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def _csv(rows: list[dict[str, object]], odd: bool) -> bytes:
    out = io.StringIO()
    table = csv.writer(
        out, quoting=csv.QUOTE_ALL if odd else csv.QUOTE_MINIMAL, lineterminator="\r\n" if odd else "\n"
    )
    table.writerow([*(["Remark"] if odd else []), "Audio File", "Start", "Duration", "Text"])
    for row in rows:
        table.writerow([*(["said, they say"] if odd else []), *row.values()])
    return out.getvalue().encode("utf-8-sig" if odd else "utf-8")


Texts = Callable[[Placed, str, random.Random], bytes]
NO_LAST_END = "srt without a last line end"
TEXTS: dict[str, tuple[str, Texts]] = {  # whole texts: suffix, and who writes them
    "srt": ("srt", lambda places, name, chance: srt(places).encode()),
    "srt with CR LF": ("srt", lambda places, name, chance: srt(places).replace("\n", "\r\n").encode()),
    "srt with a mark": ("srt", lambda places, name, chance: srt(places).encode("utf-8-sig")),
    "srt in UTF-16": ("srt", lambda places, name, chance: srt(places).encode("utf-16")),
    NO_LAST_END: ("srt", lambda places, name, chance: srt(places).rstrip().encode()),
    "srt without numbers": (
        "srt",
        lambda places, name, chance: re.sub(r"(?m)^\d+\n", "", srt(places)).encode(),
    ),
    "srt without empty lines": (
        "srt",
        lambda places, name, chance: srt(places).replace("\n\n", "\n").encode(),
    ),
    "srt with places on screen": ("srt", _on_screen),
    "vtt with notes": ("vtt", lambda places, name, chance: _vtt(places).encode()),
    "jsonl": ("jsonl", lambda places, name, chance: _jsonl(_rows(places, name))),
    "csv": ("csv", lambda places, name, chance: _csv(_rows(places, name), False)),
    "csv with odd quoting": ("csv", lambda places, name, chance: _csv(_rows(places, name), True)),
}


def _cut_text(places: Placed, name: str, chance: random.Random) -> bytes:
    data = srt(places).encode()
    return data[: chance.randrange(20, len(data) - 3)]


def _odd_times(places: Placed, name: str, chance: random.Random) -> bytes:
    rows = _rows(places, name)
    rows[chance.randrange(len(rows))]["offset"] = chance.choice(
        [float("nan"), float("inf"), -1.0, 1e308, "9" * 400, "soon"]
    )
    return _jsonl(rows)


def _odd_hours(places: Placed, name: str, chance: random.Random) -> bytes:
    lines = srt(places).split("\n")
    at = chance.choice([number for number, line in enumerate(lines) if "-->" in line])
    lines[at] = lines[at].replace("00:", chance.choice(["9" * 400 + ":", "-5:", "xx:"]), 1)
    return "\n".join(lines).encode()


ODD_TEXTS: dict[str, tuple[str, Texts]] = {  # texts that are damaged or say what cannot be
    "srt cut short": ("srt", _cut_text),
    "times that are none": ("jsonl", _odd_times),
    "hours that are none": ("srt", _odd_hours),
    "empty text": ("srt", lambda places, name, chance: b""),
    "columns nobody knows": (
        "csv",
        lambda places, name, chance: _csv(_rows(places, name), False).replace(
            b"Start,Duration", b"Alpha,Omega"
        ),
    ),
}
