"""Switchboard-1: `swb1_d1/data/sw0NNNN.sph`, the ms98 transcripts of both sides, the LDC tables.

Two-channel 8 kHz mu-law SPHERE, side A on channel 0. The lines of a side tile its whole length, pauses as
`[silence]`; times have six decimals and fall on any sample.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from demo.layouts import ODD_TOKEN, Defects, Placed, Planted, SpokenUtterance, Written, files
from demo.layouts.calls import Call, join_turns, make_calls
from demo.sphere_writer import SphereFormat, write_sphere

FIRST_CALL = 2001
_RATE = files.PHONE_RATE_HZ


def write(root: Path, utterances: Sequence[SpokenUtterance], defects: Defects | None = None) -> Written:
    """Write `root/switchboard` and say where everything went."""
    target = root / "switchboard"
    callers = {name: str(1001 + number) for name, number in files.speaker_order(utterances).items()}
    texts = [item.text.lower() for item in utterances]
    placed: list[Placed] = []
    table: list[tuple[int, tuple[str, str]]] = []
    with files.building(target) as partial:
        for number, call in enumerate(make_calls(utterances, 1)):
            table.append((FIRST_CALL + number, call.speakers))
            placed += [
                Placed(
                    turn.index,
                    audio_path(FIRST_CALL + number),
                    turn.channel,
                    turn.start / _RATE,
                    turn.end / _RATE,
                    texts[turn.index],
                )
                for turn in call.turns
            ]
            _save_audio(partial, FIRST_CALL + number, call)
            for channel in (0, 1):
                _save_side(partial, FIRST_CALL + number, channel, tile(call, channel, texts))
        planted, extra = _plant(partial, utterances, FIRST_CALL + len(table), defects or Defects())
        _write_tables(partial, table + extra, callers, {item.speaker: item.gender for item in utterances})
    return Written(target, tuple(placed), tuple(planted), callers)


def audio_path(call: int) -> str:
    """Path of a conversation's SPHERE file below the layout's root."""
    return f"swb1_d1/data/sw{call:05d}.sph"


def transcript_path(call: int, channel: int) -> str:
    """Path of one side's transcript below the layout's root."""
    number = f"{call:04d}"
    return f"swb_ms98_transcriptions/{number[:2]}/{number}/sw{number}{'AB'[channel]}-ms98-a-trans.text"


def tile(call: Call, channel: int, texts: Sequence[str]) -> Iterator[tuple[int, int, str]]:
    """(start, end, words) in samples for one side, covering the whole call."""
    at = 0
    for turn in call.side(channel):
        if turn.start > at:
            yield at, turn.start, "[silence]"
        yield turn.start, turn.end, texts[turn.index]
        at = turn.end
    if at < len(call.samples):
        yield at, len(call.samples), "[silence]"


def _save_audio(partial: Path, number: int, call: Call) -> None:
    form = SphereFormat(_RATE, "ulaw", fields={"conversation_id": str(number)})
    write_sphere(partial / audio_path(number), call.samples, form)


def _save_side(partial: Path, number: int, channel: int, tiles: Iterator[tuple[int, int, str]]) -> None:
    side = f"sw{number:04d}{'AB'[channel]}-ms98-a"
    lines = [
        f"{side}-{place:04d} {start / _RATE:.6f} {end / _RATE:.6f} {words}"
        for place, (start, end, words) in enumerate(tiles, start=1)
    ]
    files.write_text(partial / transcript_path(number, channel), lines)


def _plant(
    partial: Path, utterances: Sequence[SpokenUtterance], first: int, defects: Defects
) -> tuple[list[Planted], list[tuple[int, tuple[str, str]]]]:
    """Write extra conversations: side A has one line that is defective, side B is silent."""
    model = files.example(utterances)
    planted, table = [], []
    for place, kind in enumerate(
        files.kinds(defects, "truncated_audio", "bad_time", "odd_token", "missing_audio")
    ):
        number = first + place
        call = join_turns([model], (model.speaker, model.speaker + " (other end)"), ([0], []), 1)
        text = f"{model.text.lower()} {ODD_TOKEN}" if kind == "odd_token" else model.text.lower()
        tiles = list(tile(call, 0, [text]))
        if kind == "bad_time":
            tiles[1] = (tiles[1][1], tiles[1][0], text)
        _save_side(partial, number, 0, iter(tiles))
        _save_side(partial, number, 1, tile(call, 1, []))
        if kind != "missing_audio":
            _save_audio(partial, number, call)
        if kind == "truncated_audio":
            files.truncate_file(partial / audio_path(number))
        where = audio_path(number) if kind == "truncated_audio" else transcript_path(number, 0)
        rows = 2 if kind == "missing_audio" else 1  # both sides' transcripts lose their recording
        planted.append(Planted(kind, where, None if where.endswith(".sph") else 2, rows, text))
        table.append((number, call.speakers))
    return planted, table


def _write_tables(
    partial: Path,
    table: list[tuple[int, tuple[str, str]]],
    callers: dict[str, str],
    genders: dict[str, str],
) -> None:
    conversations: list[str] = []
    unknown: dict[str, str] = {}
    for number, speakers in table:
        ids = [
            callers.get(name) or unknown.setdefault(f"{number} {name}", str(1900 + len(unknown)))
            for name in speakers
        ]
        conversations.append(f'{number}, 301, {ids[0]}, {ids[1]}, "", 1, 1, 1')
    known = {callers[name]: gender for name, gender in genders.items()}
    people = [*sorted(known.items()), *((caller, "f") for caller in unknown.values())]
    rows = [
        f'{caller}, 1, "Y", "{"FEMALE" if gender == "f" else "MALE"}", 1960, "MIXED", 2'
        for caller, gender in people
    ]
    files.write_text(partial / "conv_tab.csv", conversations)
    files.write_text(partial / "caller_tab.csv", rows)
