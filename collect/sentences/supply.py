"""Which sentence is handed out next: the one whose recording is expected to bring most.

The rule, for a sentence s with the letters s₁…sₙ and the words w:

    gain(s)      = (errors(s) + rareness(s)) / 2
    errors(s)    = mean over its words of the word's error rate in the newest evaluation, where the word was heard
                   there at least `LEAST_HEARD` times, else the mean of its letters' error rates; 0 without evaluation
    rareness(s)  = mean over its letter trigrams t of 1 / (1 + how often t stands in what is recorded so far)
    for a voice  = gain(s) × (1 + missing), missing = 1 where nobody of the voice's age band and gender has read s yet

`order` writes gain(s) into the database: when sentences come in, and at every publication. For one voice the best
`WINDOW` free sentences are weighed by the last line. Sentences with fewer takes come first; what a voice has read,
skipped or reported, or what was handed to somebody else within half an hour, is passed over while others are left.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from sqlalchemy import ColumnElement, and_, exists, or_, select
from sqlalchemy.orm import Session

from collect.database.tables import Campaign, Clip, Sentence, SentencePass, Voice
from collect.errors import NotFoundError, SettingsError
from collect.people.secret import now_s

LEAST_HEARD = 3
WINDOW = 100
HANDED_S = 1800.0
REPORTS_TO_HIDE = 2
RECORDED = ("asked", "waiting", "accepted")


@dataclass(frozen=True)
class Weakness:
    """Where the newest evaluation went wrong: error rates by word (heard often enough) and by letter, 0–1."""

    words: Mapping[str, float] = field(default_factory=dict)
    letters: Mapping[str, float] = field(default_factory=dict)

    def of(self, spoken: str) -> float:
        """errors(s) of the rule."""
        words = spoken.split()
        if not words or not (self.words or self.letters):
            return 0.0
        return sum(self._word(word) for word in words) / len(words)

    def _word(self, word: str) -> float:
        if word in self.words:
            return self.words[word]
        return sum(self.letters.get(letter, 0.0) for letter in word) / len(word)


def trigrams(spoken: str) -> Iterator[str]:
    """Three letters each, a blank before and behind the sentence."""
    padded = f" {spoken} "
    for at in range(len(padded) - 2):
        yield padded[at : at + 3]


def count_trigrams(texts: Iterable[str]) -> Counter[str]:
    """How often each trigram stands in some texts."""
    counted: Counter[str] = Counter()
    for text in texts:
        counted.update(trigrams(text))
    return counted


def gain(spoken: str, recorded: Mapping[str, int], weakness: Weakness) -> float:
    """gain(s) of the rule, 0–1."""
    found = list(trigrams(spoken))
    rareness = sum(1.0 / (1 + recorded.get(t, 0)) for t in found) / len(found)
    return (weakness.of(spoken) + rareness) / 2


def order(session: Session, campaign: Campaign, weakness: Weakness | None = None) -> int:
    """Write the gain of every sentence; answers how many there are."""
    read = select(Sentence.spoken).join(Clip, Clip.sentence_id == Sentence.id)
    recorded = count_trigrams(
        session.scalars(read.where(Clip.campaign_id == campaign.id, Clip.state.in_(RECORDED)))
    )
    sentences = list(session.scalars(select(Sentence).where(Sentence.campaign_id == campaign.id)))
    for sentence in sentences:
        sentence.gain = gain(sentence.spoken, recorded, weakness or Weakness())
    return len(sentences)


def hand_out(session: Session, campaign: Campaign, voice: Voice, count: int) -> list[Sentence]:
    """The next sentences for a voice, and a note that it has them."""
    free = _candidates(session, campaign, voice, passed_over=True)
    if len(free) < count:
        there = {sentence.id for sentence in free}
        free += [s for s in _candidates(session, campaign, voice, passed_over=False) if s.id not in there]
    missing = _missing(session, voice, [sentence.id for sentence in free])
    free.sort(key=lambda s: (s.takes, -s.gain * (2.0 if s.id in missing else 1.0), _shuffled(voice.id, s.id)))
    chosen = free[:count]
    for sentence in chosen:
        note(session, voice, sentence.id, "handed")
    return chosen


def _shuffled(voice_id: str, sentence_id: int) -> bytes:
    return hashlib.sha256(f"{voice_id}/{sentence_id}".encode()).digest()


def _candidates(session: Session, campaign: Campaign, voice: Voice, passed_over: bool) -> list[Sentence]:
    """Free sentences by the rule; `passed_over`: without those that somebody else has in hand."""
    fresh_s = now_s() - HANDED_S
    others: ColumnElement[bool] = and_(
        SentencePass.voice_id != voice.id,
        SentencePass.kind == "handed",
        SentencePass.created_at_s > fresh_s,
    )
    mine = and_(SentencePass.voice_id == voice.id, SentencePass.kind != "handed")
    hidden = or_(mine, others) if passed_over else mine
    query = (
        select(Sentence)
        .where(
            Sentence.campaign_id == campaign.id,
            Sentence.state == "accepted",
            Sentence.takes < campaign.takes_per_sentence,
            ~exists().where(Clip.sentence_id == Sentence.id, Clip.voice_id == voice.id),
            ~exists().where(and_(SentencePass.sentence_id == Sentence.id, hidden)),
        )
        .order_by(Sentence.takes, Sentence.gain.desc(), Sentence.id)
        .limit(WINDOW)
    )
    return list(session.scalars(query))


def _missing(session: Session, voice: Voice, sentence_ids: list[int]) -> set[int]:
    """Of some sentences those that nobody of the voice's age band and gender has read."""
    read = (
        select(Clip.sentence_id)
        .join(Voice, Voice.id == Clip.voice_id)
        .where(Clip.sentence_id.in_(sentence_ids), Voice.age == voice.age, Voice.gender == voice.gender)
    )
    return set(sentence_ids) - set(session.scalars(read))


def note(session: Session, voice: Voice, sentence_id: int, kind: str, reason: str = "") -> None:
    """Note that a voice was handed a sentence, skipped or reported it; two reports hide it.

    Raises:
        NotFoundError: no such sentence in the voice's campaign. SettingsError: too long a reason.
    """
    if len(reason) > 300:
        raise SettingsError(
            "the reason may have {most} letters, it has {letters}", most=300, letters=len(reason)
        )
    sentence = session.get(Sentence, sentence_id)
    if sentence is None or sentence.campaign_id != voice.campaign_id:
        raise NotFoundError("there is no such sentence in this campaign")
    found = session.get(SentencePass, (sentence_id, voice.id))
    if found is None:
        found = SentencePass(sentence_id=sentence_id, voice_id=voice.id)
        session.add(found)
    found.kind, found.reason, found.created_at_s = kind, reason.strip(), now_s()
    session.flush()
    if kind == "reported":
        reports = select(SentencePass.voice_id).where(
            SentencePass.sentence_id == sentence_id, SentencePass.kind == "reported"
        )
        if len(list(session.scalars(reports))) >= REPORTS_TO_HIDE:
            sentence.state = "reported"


def settle_reports(session: Session, sentence_id: int) -> None:
    """An admin has looked: reports of a sentence become skips."""
    query = select(SentencePass).where(
        SentencePass.sentence_id == sentence_id, SentencePass.kind == "reported"
    )
    for found in session.scalars(query):
        found.kind = "skipped"
