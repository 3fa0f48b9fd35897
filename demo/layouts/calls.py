"""Two-sided telephone calls: who talks to whom, turns on two channels at 8 kHz (Fisher and Switchboard).

Speakers of one split are paired in order of appearance, so callers of different splits never meet; a
speaker left over calls the first of the split. Times are in samples at 8 kHz; every fifth turn overlaps the
turn before it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from demo.layouts import Samples, SpokenUtterance, files

SIDE_SIZE = 25


@dataclass(frozen=True)
class Turn:
    """One utterance in a call: its number in the input, channel, and span in samples."""

    index: int
    channel: int
    start: int
    end: int


@dataclass
class Call:
    """One call: the two speakers (the second may stay silent), the turns, and int16 sound [samples, 2]."""

    speakers: tuple[str, str]
    turns: list[Turn]
    samples: Samples = field(repr=False)

    def side(self, channel: int) -> list[Turn]:
        """Turns of one channel in time order."""
        return [turn for turn in self.turns if turn.channel == channel]


def make_calls(utterances: Sequence[SpokenUtterance], step: int) -> list[Call]:
    """Deal all utterances into calls; turns start and end on multiples of `step` samples."""
    sides: dict[str, dict[str, list[int]]] = {}
    for (split, speaker), indices in files.groups(
        utterances, lambda item: (item.split, item.speaker), len(utterances)
    ):
        sides.setdefault(split, {})[speaker] = indices
    calls = []
    for speakers in sides.values():
        names = list(speakers)
        for at in range(0, len(names), 2):
            pair = (names[at], names[at + 1] if at + 1 < len(names) else names[0])
            lines_b = speakers[pair[1]] if at + 1 < len(names) else []
            lines_a = speakers[pair[0]]
            for part in range(0, max(len(lines_a), len(lines_b)), SIDE_SIZE):
                chosen = (lines_a[part : part + SIDE_SIZE], lines_b[part : part + SIDE_SIZE])
                calls.append(join_turns(utterances, pair, chosen, step))
    return calls


def join_turns(
    utterances: Sequence[SpokenUtterance],
    pair: tuple[str, str],
    chosen: tuple[list[int], list[int]],
    step: int,
) -> Call:
    """Let two sides talk in turns: 0.5 s before the first turn, then 0.2 to 0.6 s between turns."""
    order = [
        (side[place], channel)
        for place in range(max(map(len, chosen)))
        for channel, side in enumerate(chosen)
        if place < len(side)
    ]
    turns: list[Turn] = []
    sounds: list[Samples] = []
    free = [4000, 4000]  # first free sample of each channel
    for number, (index, channel) in enumerate(order):
        sound = files.pad_to(files.resample(utterances[index].samples, files.PHONE_RATE_HZ), step)
        gap = -1600 if number % 5 == 4 else 1600 + index % 5 * 800
        start = max(max(free) + gap, free[channel])
        start += -start % step
        turns.append(Turn(index, channel, start, start + len(sound)))
        sounds.append(sound)
        free[channel] = start + len(sound) + 800
    total = max(free) + 4000
    samples = np.zeros((total + (-total % step), 2), dtype=np.int16)
    for turn, sound in zip(turns, sounds, strict=True):
        samples[turn.start : turn.end, turn.channel] = sound
    return Call(pair, turns, samples)
