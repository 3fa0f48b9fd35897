"""Labels of tiers that are no words: silence, noise, phones. Used by the readers of linguists' files.

A bare label out of the table is no speech, or speech that nobody wrote down. A tier of phones is known by its name
and by its labels, or because it cuts every interval of another tier into pieces; a tier that says the same as
another in smaller pieces is left out too, else every word would be learnt twice.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from math import inf

from corpora.formats.cues import Cue, TranscriptError


def _labels(text: str) -> frozenset[str]:
    return frozenset(text.split())


SILENCES = _labels(
    "sil sp # ## _ - . <p:> <p> <sil> <s> </s> <eps> [sil] (sil) {sl} #h h# pau [pause] <pause>"
)
UNWRITTEN = _labels("spn <spn> [spn] nsn <nsn> <unk> xxx yyy www *** <usb> <nib> <nv>")
SILENCE, UNWRITTEN_REASON = "label of silence", "label of noise, or of speech that was not written down"
_PHONE_TIERS = re.compile(
    r"(^|[\s_.:@-])(phone?s?|phonemes?|phonetic|segs?|segments?|sylls?|syllables?|mau|mas)($|[\s_.:@-])", re.I
)
_WORD_TIERS = re.compile(r"(^|[\s_.:@-])(words?|ort(-?mau)?|ortho|tokens?)($|[\s_.:@-])", re.I)
# Names of tiers that say what stands in them, not who speaks.
_KINDS = re.compile(
    r"(words?|tokens?|ort(-?mau)?|ortho\w*|text|trs|transcri\w*|utt(erance)?s?|sentences?|speech|default|tier ?\d*)",
    re.I,
)
_PHONE = re.compile(r"\S{1,2}|[A-Z]{1,3}[0-2]?|\S{1,4}[0-9]")
_MOST = 0.8  # of the labels
_ENOUGH = 10  # labels, below which nothing is said of a tier without a telling name
GAP_S, LONGEST_S = 0.5, 15.0


def silent(label: str) -> str:
    """Why a label is no word to learn, or ""."""
    plain = label.strip().lower()
    if plain in SILENCES:
        return SILENCE
    return UNWRITTEN_REASON if plain in UNWRITTEN else ""


def speaker_of(tier: str) -> str | None:
    """A tier's name where it can be a speaker's, None where it says what stands in it (`words`, `utterances`)."""
    return None if not tier.strip() or _KINDS.fullmatch(tier.strip()) else tier


@dataclass(frozen=True)
class Tier:
    """A tier with its labelled cues in order of time, silence left out."""

    name: str
    cues: Sequence[Cue]

    @property
    def words(self) -> list[str]:
        return " ".join(cue.text for cue in self.cues).lower().split()

    def are_single_words(self) -> bool:
        """Whether its labels are words of an aligner: one word each, one behind the other."""
        if not self.cues:
            return False
        single = sum(len(cue.text.split()) == 1 for cue in self.cues)
        return single >= _MOST * len(self.cues) and (
            len(self.cues) >= _ENOUGH or bool(_WORD_TIERS.search(self.name))
        )


def left_out(tiers: Sequence[Tier]) -> dict[int, str]:
    """Number of a tier → why it is not to be learnt from."""
    found: dict[int, str] = {}
    for at, tier in enumerate(tiers):
        if tier.cues and _is_of_phones(tier, [other for k, other in enumerate(tiers) if k != at]):
            found[at] = f"tier {tier.name!r} holds phones or syllables, not words"
    speaking = [at for at, tier in enumerate(tiers) if at not in found and tier.cues]
    for at in speaking:
        for other in speaking:
            finer = len(tiers[at].cues) > len(tiers[other].cues)
            if at != other and finer and other not in found and tiers[at].words == tiers[other].words:
                found[at] = (
                    f"tier {tiers[at].name!r} says the same as {tiers[other].name!r} in smaller pieces"
                )
                break
    return found


def _is_of_phones(tier: Tier, others: Sequence[Tier]) -> bool:
    like = sum(bool(_PHONE.fullmatch(cue.text.strip())) for cue in tier.cues) / len(tier.cues)
    if _PHONE_TIERS.search(tier.name) and (like >= 0.5 or any(_inside(tier, other) for other in others)):
        return True
    if like < _MOST or len(tier.cues) < _ENOUGH:
        return False
    return any(_cuts(tier, other) for other in others) or not any(len(c.text.strip()) > 2 for c in tier.cues)


def _inside(fine: Tier, coarse: Tier) -> bool:
    """Whether a tier holds single labels below those of another, several below each: syllables of its words."""
    if 2 * len(coarse.cues) > len(fine.cues) or any(" " in cue.text.strip() for cue in fine.cues):
        return False
    begins = sorted((cue.start_s or 0.0, cue.end_s or 0.0) for cue in coarse.cues)
    middles = [((cue.start_s or 0.0) + (cue.end_s or 0.0)) / 2 for cue in fine.cues]
    before = [bisect_right(begins, (middle, inf)) - 1 for middle in middles]
    below = sum(at >= 0 and middle <= begins[at][1] for at, middle in zip(before, middles, strict=True))
    return below >= _MOST * len(fine.cues)


def _cuts(fine: Tier, coarse: Tier) -> bool:
    """Whether nearly every border of a tier is one of the other's, which has more of them."""
    if len(fine.cues) <= len(coarse.cues) or not coarse.cues:
        return False
    borders = {round(at or 0.0, 2) for cue in fine.cues for at in (cue.start_s, cue.end_s)}
    own = {round(at or 0.0, 2) for cue in coarse.cues for at in (cue.start_s, cue.end_s)}
    return len(own & borders) >= _MOST * len(own)


def spoken(tiers: Sequence[Tier], asked: bool, ignored: Counter[str]) -> list[Cue]:
    """Cues of the tiers that hold words, single words joined; what is left out is counted.

    Args:
        asked: the tiers were named by a person: all are taken.

    Raises:
        TranscriptError: no tier holds words.
    """
    out = {} if asked else left_out(tiers)
    cues: list[Cue] = []
    for at, tier in enumerate(tiers):
        if at in out:
            ignored[out[at]] += len(tier.cues)
        elif tier.are_single_words():
            joined = joined_words(tier.cues)
            ignored["word joined to the word before"] += len(tier.cues) - len(joined)
            cues += joined
        else:
            cues += tier.cues
    if not cues and out:
        names = ", ".join(repr(tiers[at].name) for at in out)
        raise TranscriptError("no_words", f"no tier holds words ({names}): say in `tiers` which one does")
    return cues


def joined_words(cues: Sequence[Cue], breaks: Collection[int] = ()) -> list[Cue]:
    """Words of one voice, in order of time, as stretches: a gap of 0.5 s or a length of 15 s ends one.

    Args:
        breaks: lines of words that must not be joined to the one before: between them stands one that is not known.
    """
    done: list[Cue] = []
    group: list[Cue] = []
    for cue in cues:
        if group and (cue.line in breaks or not _near(group, cue)):
            done.append(_stretch(group))
            group = []
        group.append(cue)
    return [*done, _stretch(group)] if group else done


def _near(group: Sequence[Cue], cue: Cue) -> bool:
    first, last = group[0], group[-1]
    if cue.start_s is None or cue.end_s is None or last.end_s is None or first.start_s is None:
        return False
    same = (first.recording, first.channel, first.voice) == (cue.recording, cue.channel, cue.voice)
    return same and abs(cue.start_s - last.end_s) <= GAP_S and cue.end_s - first.start_s <= LONGEST_S


def _stretch(group: Sequence[Cue]) -> Cue:
    first = group[0]
    text, end_s = " ".join(cue.text for cue in group), max(cue.end_s or 0.0 for cue in group)
    return Cue(
        first.line, first.start_s, end_s, text, first.voice, recording=first.recording, channel=first.channel
    )
