"""Which sentences are taken, and in which order they are handed out: the rule of sentences/supply.py, figure by figure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from collect_sounds import voice, wav
from collect_visitors import Volunteer
from sqlalchemy import select

from collect.database.tables import Sentence, Voice
from collect.people.campaigns import campaign_named
from collect.publishing.weakness import weakness_of
from collect.sentences import supply
from collect.sentences.cleaning import MOST_LETTERS, Unusable, Usable, clean
from collect.sentences.proposals import Origin, take_in
from collect.sentences.supply import Weakness, count_trigrams, gain


@pytest.mark.parametrize(
    ("raw", "check"),
    [
        ("She ate 42 pears.", "numbers"), ("", "empty_text"), ("Hm", "too_short"), ("=SUM(A1)", "bad_chars"),
        ("wörd " * 40, "too_long"), ("a\u202eb", "bad_chars"), ("<b>bold</b> [noise] words", "unknown_tag"),
        ("\u0645\u0631\u062d\u0628\u0627", "bad_chars"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_aloud_is_refused_by_the_normalisers_own_checks(raw: str, check: str) -> None:
    found = clean(raw, "en")
    assert isinstance(found, Unusable) and found.check == check, found


def test_a_sentence_is_kept_as_it_is_written_and_doubles_are_told_by_what_is_spoken() -> None:
    first, second = clean("  It\u2019s a  bright day! ", "en"), clean("it's a bright day", "en")
    assert isinstance(first, Usable) and isinstance(second, Usable)
    assert first.text == "It\u2019s a bright day!" and first.sha256 == second.sha256
    assert isinstance(clean("a" * (MOST_LETTERS + 1), "en"), Unusable)
    assert isinstance(clean("Schöne Grüße aus Köln.", "de"), Usable)


def test_gain_is_the_mean_of_errors_and_rareness() -> None:
    assert gain("abc", {}, Weakness()) == pytest.approx((0 + 1) / 2)
    recorded = count_trigrams(["abc"])
    assert recorded == {" ab": 1, "abc": 1, "bc ": 1}
    assert gain("abc", recorded, Weakness()) == pytest.approx((0 + 1 / 2) / 2)
    weak = Weakness({"abc": 0.8}, {"d": 0.5})
    assert gain("abc", recorded, weak) == pytest.approx((0.8 + 0.5) / 2)
    assert weak.of("abc dd") == pytest.approx((0.8 + 0.5) / 2), (
        "a word not heard often enough counts by its letters"
    )


def test_weakness_comes_from_what_was_said_and_not_heard() -> None:
    said = ["the cat sat", "the cat ran", "the cat", "a dog"]
    heard = ["the cat sat", "the bat ran", "the", "a dog"]
    weak = weakness_of(said, heard)
    assert weak.words == {"the": 0.0, "cat": pytest.approx(2 / 3)}
    assert weak.letters["d"] == 0.0 and 0 < weak.letters["c"] <= 1


def test_sentences_of_weak_and_rare_words_come_first(app: Any, volunteer: Callable[[], Volunteer]) -> None:
    with app.state.services.database.writing() as session:
        campaign = campaign_named(session, "harbour")
        supply.order(session, campaign, Weakness({"harbour": 1.0, "ran": 1.0, "to": 1.0, "the": 0.0}, {}))
    first = volunteer().tasks(1)[0]["text"]
    assert first == "Two sailors ran to the harbour."


def test_a_voice_that_is_missing_is_asked_for_what_its_like_has_not_read(
    app: Any, volunteer: Callable[[], Volunteer]
) -> None:
    database = app.state.services.database
    anna, ben, cleo = volunteer(), volunteer(), volunteer()
    with database.writing() as session:
        campaign_named(session, "harbour").takes_per_sentence = 3
        voices = list(session.scalars(select(Voice).order_by(Voice.created_at_s)))
        for one, gender in zip(voices, ("male", "male", "female"), strict=True):
            one.gender = gender
        for sentence in session.scalars(select(Sentence)):
            sentence.gain = 0.5
    read = anna.tasks(1)[0]
    anna.send(read["id"], wav(voice(1)))
    with database.writing() as session:
        for sentence in session.scalars(select(Sentence)):
            sentence.takes = 1
    assert read["id"] not in {one["id"] for one in ben.tasks(5)}, "a man has read it: others come first"
    assert {one["id"] for one in cleo.tasks(6)} >= {read["id"]}


def test_a_file_of_sentences_is_counted_line_by_line(app: Any) -> None:
    lines = ["A new sentence here.", "a NEW sentence here", "", "12 boats", "The old baker ate the bread."]
    with app.state.services.database.writing() as session:
        intake = take_in(session, campaign_named(session, "harbour"), lines, Origin("us", "CC0-1.0"))
    assert (intake.taken, intake.doubles, dict(intake.refused)) == (1, 2, {"numbers": 1})
    assert intake.examples[0][0] == 4
