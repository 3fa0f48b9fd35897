"""Fisher English: `audio/NNN/fe_03_NNNNN.sph` on disc directories, `data/trans` texts, `doc` tables.

Two-channel 8 kHz mu-law SPHERE compressed by shorten, as on the discs, side A on channel 0. The tables name each
side's PIN, sex and dialect. Ids count from 00001 (part 1). Transcripts are lower case with spans in seconds of
two decimals.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from demo.layouts import ODD_TOKEN, Defects, Placed, Planted, SpokenUtterance, Written, files
from demo.layouts.calls import Call, join_turns, make_calls
from demo.sphere_writer import SphereFormat, write_sphere

AUDIO_ROOT = "LDC2004S13/fe_03_p1_sph1"
TEXT_ROOT = "LDC2004T19/fe_03_p1_tran"
_STEP = files.PHONE_RATE_HZ // 100
_HEADER = (
    "CALL_ID,DATE_TIME,TOPICID,SIG_GRADE,CNV_GRADE,"
    "APIN,ASX.DL,APHNUM,APHSET,APHTYP,BPIN,BSX.DL,BPHNUM,BPHSET,BPHTYP"
)


def write(root: Path, utterances: Sequence[SpokenUtterance], defects: Defects | None = None) -> Written:
    """Write `root/fisher` (audio and text releases side by side) and say where everything went."""
    target = root / "fisher"
    pins = {name: f"{10001 + number:05d}" for name, number in files.speaker_order(utterances).items()}
    genders = {item.speaker: item.gender for item in reversed(utterances)}
    placed: list[Placed] = []
    table: list[tuple[str, Call]] = []
    with files.building(target) as partial:
        for number, call in enumerate(make_calls(utterances, _STEP)):
            call_id = f"{number + 1:05d}"
            table.append((call_id, call))
            lines = []
            for turn in sorted(call.turns, key=lambda turn: (turn.start, turn.channel)):
                span = (turn.start / files.PHONE_RATE_HZ, turn.end / files.PHONE_RATE_HZ)
                text = utterances[turn.index].text.lower()
                lines.append(_line(*span, turn.channel, text))
                placed.append(Placed(turn.index, audio_path(call_id), turn.channel, *span, text))
            _save(partial, call_id, call, lines)
        planted, extra = _plant(partial, utterances, len(table), defects or Defects())
        _write_tables(partial, table + extra, pins, genders)
    return Written(target, tuple(placed), tuple(planted), pins)


def audio_path(call_id: str) -> str:
    """Path of a call's SPHERE file below the layout's root."""
    return f"{AUDIO_ROOT}/audio/{call_id[:3]}/fe_03_{call_id}.sph"


def transcript_path(call_id: str) -> str:
    """Path of a call's transcript below the layout's root."""
    return f"{TEXT_ROOT}/data/trans/{call_id[:3]}/fe_03_{call_id}.txt"


def _line(start: float, end: float, channel: int, text: str) -> str:
    return f"{start:.2f} {end:.2f} {'AB'[channel]}: {text}"


def _save(partial: Path, call_id: str, call: Call | None, lines: list[str]) -> None:
    if call is not None:
        fields = {"conversation_id": call_id}
        form = SphereFormat(files.PHONE_RATE_HZ, "ulaw", shorten=True, fields=fields)
        write_sphere(partial / audio_path(call_id), call.samples, form)
    head = [f"# fe_03_{call_id}.sph", "# Transcribed by a synthesiser", ""]
    files.write_text(partial / transcript_path(call_id), head + lines)


def _plant(
    partial: Path, utterances: Sequence[SpokenUtterance], calls: int, defects: Defects
) -> tuple[list[Planted], list[tuple[str, Call]]]:
    """Write extra calls of one side and one line each; the line or its audio is defective."""
    model = files.example(utterances)
    planted, table = [], []
    for number, kind in enumerate(
        files.kinds(defects, "truncated_audio", "bad_time", "odd_token", "missing_audio")
    ):
        call_id = f"{calls + number + 1:05d}"
        call = join_turns([model], (model.speaker, model.speaker + " (other end)"), ([0], []), _STEP)
        start, end = (at / files.PHONE_RATE_HZ for at in (call.turns[0].start, call.turns[0].end))
        text = f"{model.text.lower()} {ODD_TOKEN}" if kind == "odd_token" else model.text.lower()
        line = _line(end, start, 0, text) if kind == "bad_time" else _line(start, end, 0, text)
        _save(partial, call_id, None if kind == "missing_audio" else call, [line])
        if kind == "truncated_audio":
            files.truncate_file(partial / audio_path(call_id))
        place = audio_path(call_id) if kind == "truncated_audio" else transcript_path(call_id)
        planted.append(Planted(kind, place, None if place.endswith(".sph") else 4, 1, text))
        table.append((call_id, call))
    return planted, table


def _write_tables(
    partial: Path, table: list[tuple[str, Call]], pins: dict[str, str], genders: dict[str, str]
) -> None:
    rows, discs = [], []
    for call_id, call in table:
        known = [
            (pins.get(name, f"{90000 + int(call_id)}"), genders.get(name, "f")) for name in call.speakers
        ]
        (pin_a, sex_a), (pin_b, sex_b) = known
        phone_a, phone_b = f"{pin_a}00,2,3", f"{pin_b}00,2,3"
        rows.append(
            f"{call_id},20030101_00:00:00,ENG01,3,3,{pin_a},{sex_a}.a,{phone_a},{pin_b},{sex_b}.a,{phone_b}"
        )
        discs.append(f"fe_03_p1_sph1 fe_03_{call_id}.sph {sex_a}{sex_b}")
    files.write_text(partial / TEXT_ROOT / "doc/fe_03_p1_calldata.tbl", [_HEADER, *rows])
    files.write_text(partial / AUDIO_ROOT / "filetable.txt", discs)
