"""Donated texts as people really write them, with a seeded oddity each: for the campaign that listens.

Each form takes a recording with its truth and gives files (name → bytes) and the lines that donation.toml needs. What
is odd may cost rows, with a reason; it must never put a text over another's sound. Kinds: quotation marks, ends of
cues, times that are none, columns nobody knows, languages, tiers that are not speech, texts of several formats.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence

from demo.layouts.spoken_truth import Sentence, Truth

Files = dict[str, str]
Form = Callable[[Truth, random.Random], tuple[str, Files]]
_BAD_TIMES = ("nan", "inf", "-inf", "1e308", "", "9" * 400, "soon", "-3", "NaN", "1e999", "²")
_LANGUAGES = ("en", "eng", "English", "en_GB", "Klingonese", "../../etc/x", "")


def _clock(time_s: float, sign: str = ",") -> str:
    ms = round(time_s * 1000)
    return f"{ms // 3_600_000:02d}:{ms // 60_000 % 60:02d}:{ms // 1000 % 60:02d}{sign}{ms % 1000:03d}"


def _sentence(text: str, chance: random.Random) -> str:
    return text.capitalize() + "." if chance.random() < 0.7 else text


# --- captions ---------------------------------------------------------------------------------------------


def _halves(text: str) -> tuple[str, str]:
    words = text.split()
    return " ".join(words[:2]), " ".join(words[2:])


def _odd_cue(timing: str, text: str, number: int, chance: random.Random) -> tuple[str, str]:
    """(kind, block) of one cue."""
    first, second = _halves(text)
    odd = {
        "plain": f"{number}\n{timing}\n{text}\n\n",
        "blank line inside": f"{number}\n{timing}\n{first}\n\n{second}\n\n",
        "blank line first": f"{number}\n{timing}\n\n{text}\n\n",
        "no blank line behind": f"{number}\n{timing}\n{text}\n",
        "no number": f"{timing}\n{text}\n\n",
        "double spaced": f"{number}\n\n{timing}\n\n{text}\n\n",
        "text behind the times": f"{number}\n{timing} {text}\n\n",
        "wrong arrow": f"{number}\n{timing.replace('-->', '->')}\n{text}\n\n",
        "frames": f"{number}\n{timing}:12\n{text}\n\n",
        "position": f"{number}\n{timing}\n{{\\an8}}{first} <i>{second}</i>\n\n",
        "chevrons": f"{number}\n{timing}\n>> {text}\n\n",
        "speaker": f"{number}\n{timing}\n- Anna: {text}\n\n",
        "song before": f"{number}\n{timing}\n♪ la la ♪ {text}\n\n",
    }
    kind = chance.choice(sorted(odd)) if chance.random() < 0.5 else "plain"
    return kind, odd[kind]


def captions(truth: Truth, chance: random.Random) -> tuple[str, Files]:
    """SRT or WebVTT, one cue a sentence, some of them odd."""
    vtt = chance.random() < 0.4
    kinds, blocks = [], []
    for number, sentence in enumerate(truth.sentences, 1):
        sign = "." if vtt else ","
        timing = f"{_clock(sentence.start_s, sign)} --> {_clock(sentence.end_s, sign)}"
        kind, block = _odd_cue(timing, _sentence(sentence.text, chance), number, chance)
        if vtt and chance.random() < 0.3:
            kind, block = "name like a note", block.replace(f"{number}\n", "NOTEBOOK 5\n", 1)
        kinds.append(kind)
        blocks.append(block)
    text = "".join(blocks)
    if chance.random() < 0.2:
        kinds.append("no end")
        text = text.rstrip("\n")
    head = (
        chance.choice(("WEBVTT\n\n", "WEBVTT\n", "WEBVTT - x\nKind: captions\n\nNOTE\nnot said\n\n"))
        if vtt
        else ""
    )
    return f"captions, {_told(kinds)}", {f"{truth.name}.{'vtt' if vtt else 'srt'}": head + text}


def _told(kinds: Sequence[str]) -> str:
    odd = sorted({kind for kind in kinds if kind != "plain"})
    return odd[0] if odd else "plain"


# --- tables -----------------------------------------------------------------------------------------------


def table(truth: Truth, chance: random.Random) -> tuple[str, Files]:
    """CSV or TSV with times under names that are known or not, quoted or not, one cell perhaps damaged."""
    columns = chance.choice(
        (
            "start,end",
            "start_ms,end_ms",
            "Start Time,End Time",
            "tmin,tmax",
            "time_in,time_out",
            "von,bis",
            "t0,t1",
        )
    )
    sign = chance.choice((",", "\t", ";"))
    head = sign.join(["File Name", "text", *columns.split(","), "language"])
    kinds, lines = [], []
    language = chance.choice(_LANGUAGES)
    for sentence in truth.sentences:
        times = [
            str(round(t * 1000)) if "_ms" in columns else f"{t:.4f}"
            for t in (sentence.start_s, sentence.end_s)
        ]
        text, kind = _sentence(sentence.text, chance), "plain"
        first, second = _halves(text)
        if chance.random() < 0.3:
            kind, text, times = chance.choice(
                (
                    ("quoted", f'"{text}"', times),
                    ("quoted over lines", f'"{first}\n{second}"', times),
                    ("open quotation mark", f'"{text}', times),
                    ("stray quotation mark", f'{first} "{second}', times),
                    ("bad time", text, [times[0], chance.choice(_BAD_TIMES)]),
                    ("bad time", text, [chance.choice(_BAD_TIMES), times[1]]),
                    ("a column too few", text, times[:1]),
                )
            )
        kinds.append(kind)
        lines.append(sign.join([f"{truth.name}.wav", text, *times, language]))
    kind = f"table, {columns if columns in {'von,bis', 't0,t1'} else _told(kinds)}"
    return kind, {f"{truth.name}_list.{'tsv' if sign == chr(9) else 'csv'}": "\n".join([head, *lines]) + "\n"}


def manifest(truth: Truth, chance: random.Random) -> tuple[str, Files]:
    """JSON lines as NeMo writes them, one value perhaps of a wrong kind."""
    kinds, lines = [], []
    for sentence in truth.sentences:
        row: dict[str, object] = {
            "audio_filepath": f"{truth.name}.wav",
            "text": _sentence(sentence.text, chance),
        }
        row |= {"offset": round(sentence.start_s, 4), "duration": round(sentence.end_s - sentence.start_s, 4)}
        kind = "plain"
        if chance.random() < 0.3:
            kind, change = chance.choice(
                (
                    ("bad time", {"offset": float("nan")}),
                    ("bad time", {"duration": float("inf")}),
                    ("no times", {"offset": None, "duration": None}),
                    ("text of another kind", {"text": {"en": row["text"]}}),
                    ("half a letter", {"text": f"{row['text']} \ud800"}),
                    ("language", {"language": chance.choice(_LANGUAGES)}),
                )
            )
            row |= change
        kinds.append(kind)
        lines.append(json.dumps({key: value for key, value in row.items() if value is not None}))
    return f"manifest, {_told(kinds)}", {f"{truth.name}_manifest.jsonl": "\n".join(lines) + "\n"}


def whisper(truth: Truth, chance: random.Random) -> tuple[str, Files]:
    """What a recogniser leaves: JSON, TSV, SRT and plain text of the same words, all or some of them."""
    segments = [
        {"start": round(s.start_s, 3), "end": round(s.end_s, 3), "text": f" {s.text}."}
        for s in truth.sentences
    ]
    files = {
        f"{truth.name}.json": json.dumps({"text": "x", "segments": segments, "language": "en"}),
        f"{truth.name}.tsv": "start\tend\ttext\n"
        + "".join(
            f"{round(s.start_s * 1000)}\t{round(s.end_s * 1000)}\t{s.text}.\n" for s in truth.sentences
        ),
        f"{truth.name}.srt": "".join(
            f"{n}\n{_clock(s.start_s)} --> {_clock(s.end_s)}\n{s.text}.\n\n"
            for n, s in enumerate(truth.sentences, 1)
        ),
        f"{truth.name}.txt": "".join(f"{s.text}.\n" for s in truth.sentences),
    }
    kept = chance.sample(sorted(files), chance.randint(1, 4))
    if kept == [f"{truth.name}.txt"]:
        kept = [f"{truth.name}.json"]
    return "files of a recogniser", {name: files[name] for name in kept}


# --- one word or segment a line ---------------------------------------------------------------------------


def segments(truth: Truth, chance: random.Random) -> tuple[str, Files]:
    """STM, CTM, Audacity labels or a Kaldi folder; fields between blanks or tabs, one time perhaps none."""
    form, sign = chance.choice(("stm", "ctm", "labels", "kaldi")), chance.choice((" ", "\t", "  "))
    bad = chance.randrange(len(truth.sentences)) if chance.random() < 0.4 else -1
    end = {bad: chance.choice([time for time in _BAD_TIMES if time])}
    lines: list[str] = []
    for number, s in enumerate(truth.sentences):
        until = end.get(number, f"{s.end_s:.4f}")
        if form == "stm":
            label = chance.choice(("<o,f0,female> ", "<NA> ", ""))
            lines.append(sign.join([truth.name, "1", "ann", f"{s.start_s:.4f}", until, label + s.text]))
        elif form == "ctm":
            wrong = (chance.randrange(len(s.words)) if number == bad else -1, end.get(number, ""))
            lines += _words_of(truth.name, s, wrong, sign)
        elif form == "labels":
            lines.append(f"{s.start_s:.6f}\t{until}\t{s.text}")
        else:
            last = number == len(truth.sentences) - 1 and number != bad
            lines.append(sign.join([f"u{number}", truth.name, f"{s.start_s:.4f}", "-1" if last else until]))
    kind = f"{form}, {'bad time' if bad >= 0 else 'plain'}"
    text = "\n".join(lines) + "\n"
    if form != "kaldi":
        name = {"labels": chance.choice((f"{truth.name}_labels.txt", f"{truth.name}.txt"))}.get(
            form, f"{truth.name}.{form}"
        )
        return kind, {name: text}
    said = "".join(f"u{n}{sign}{s.text}\n" for n, s in enumerate(truth.sentences))
    folder = f"{truth.name}_kaldi"
    place = f"{truth.name}{sign}{truth.name}.wav\n"
    return kind, {f"{folder}/segments": text, f"{folder}/text": said, f"{folder}/wav.scp": place}


def _words_of(name: str, sentence: Sentence, bad: tuple[int, str], sign: str) -> list[str]:
    """CTM lines; the time of one word may be another."""
    return [
        sign.join(
            [name, "1", f"{w.start_s:.4f}", bad[1] if n == bad[0] else f"{w.end_s - w.start_s:.4f}", w.text]
        )
        for n, w in enumerate(sentence.words)
    ]


# --- tiers ------------------------------------------------------------------------------------------------


def grid(truth: Truth, chance: random.Random) -> tuple[str, Files]:
    """A TextGrid with a tier of sentences or words, and perhaps phones and labels of silence."""
    words = chance.random() < 0.5
    spans = [(s.start_s, s.end_s, s.text) for s in truth.sentences]
    if words:
        spans = [(w.start_s, w.end_s, w.text) for s in truth.sentences for w in s.words]
    silence = chance.choice(("", "sil", "sp", "<p:>", "#"))
    tiers = {"words" if words else "Ann": _filled(spans, silence)}
    foreign = chance.choice(("none", "phones", "MAU", "syllables"))
    if foreign != "none":
        phones = [
            (a + (b - a) * n / len(text), a + (b - a) * (n + 1) / len(text), letter.upper())
            for a, b, text in spans
            for n, letter in enumerate(text.replace(" ", ""))
            if text.replace(" ", "") == text
        ]
        if phones:
            tiers[foreign] = _filled(phones, silence)
    end = len(truth.samples) / 16_000
    text = f'File type = "ooTextFile"\nObject class = "TextGrid"\n\n0\n{end}\n<exists>\n{len(tiers)}\n'
    for name, labels in tiers.items():
        text += f'"IntervalTier"\n"{name}"\n0\n{end}\n{len(labels)}\n'
        text += "".join(f'{a}\n{b}\n"{label}"\n' for a, b, label in labels)
    return f"TextGrid, {foreign if len(tiers) > 1 else 'one tier'}", {f"{truth.name}.TextGrid": text}


def _filled(spans: Sequence[tuple[float, float, str]], silence: str) -> list[tuple[float, float, str]]:
    """Intervals with what is between them."""
    filled, at = [], 0.0
    for start, end, label in spans:
        if start - at > 1e-6:
            filled.append((at, start, silence))
        filled.append((start, end, label))
        at = end
    return filled


def elan(truth: Truth, chance: random.Random) -> tuple[str, Files]:
    """ELAN: sentences in the top tier, or below a tier of names; perhaps with a gloss beside them."""
    names = chance.random() < 0.5
    times = "".join(
        f'<TIME_SLOT TIME_SLOT_ID="a{n}" TIME_VALUE="{round(s.start_s * 1000)}"/>'
        f'<TIME_SLOT TIME_SLOT_ID="b{n}" TIME_VALUE="{round(s.end_s * 1000)}"/>'
        for n, s in enumerate(truth.sentences)
    )
    top = [f"{truth.name}.{n:03d}" if names else s.text for n, s in enumerate(truth.sentences)]
    tiers = (
        '<TIER TIER_ID="ref@A" LINGUISTIC_TYPE_REF="ref">'
        if names
        else '<TIER TIER_ID="A" LINGUISTIC_TYPE_REF="t">'
    )
    for n, said in enumerate(top):
        span = f'TIME_SLOT_REF1="a{n}" TIME_SLOT_REF2="b{n}"'
        value = f"<ANNOTATION_VALUE>{said}</ANNOTATION_VALUE>"
        tiers += f'<ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID="r{n}" {span}>{value}</ALIGNABLE_ANNOTATION></ANNOTATION>'
    tiers += "</TIER>"
    below = [("tx@A", [s.text for s in truth.sentences])] if names else []
    if chance.random() < 0.5:
        below.append(("ft@A", ["gloss of it"] * len(top)))
    for tier, texts in below:
        tiers += f'<TIER TIER_ID="{tier}" LINGUISTIC_TYPE_REF="d" PARENT_REF="{"ref@A" if names else "A"}">'
        for n, said in enumerate(texts):
            value = f"<ANNOTATION_VALUE>{said}</ANNOTATION_VALUE>"
            names_of = f'ANNOTATION_ID="{tier}{n}" ANNOTATION_REF="r{n}"'
            tiers += f"<ANNOTATION><REF_ANNOTATION {names_of}>{value}</REF_ANNOTATION></ANNOTATION>"
        tiers += "</TIER>"
    text = f"<ANNOTATION_DOCUMENT><TIME_ORDER>{times}</TIME_ORDER>{tiers}</ANNOTATION_DOCUMENT>"
    return f"ELAN, {'tier of names' if names else 'one tier'}", {f"{truth.name}.eaf": text}


_MANY = (captions, captions, captions, table, table)  # the kinds that differ most among themselves
FORMS: tuple[Form, ...] = (*_MANY, manifest, whisper, segments, segments, grid, elan)
