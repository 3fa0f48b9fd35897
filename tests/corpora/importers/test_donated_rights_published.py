"""Donations by what they claim: copies, licences, names, donors, donation.toml."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from corpora.__main__ import main
from corpora.donations.description import KEYS, parse_donation
from corpora.errors import SourceError
from store.errors import UsageError
from store.opening import open_store
from tests.corpora.donated import HEAD, audio, checks, run, sound, srt, write

# --- 5 the same sound again -------------------------------------------------------------------------------


def test_05_the_same_sound_from_another_donor_is_kept_once_and_recorded(tmp_path: Path) -> None:
    one = {"a.wav": audio(sound(3, 1)), "a.txt": "The first."}
    run(write(tmp_path / "one", one), tmp_path / "store")
    two = {
        "x.flac": audio(sound(3, 1), "FLAC"),
        "x.txt": "The first.",
        "y.wav": audio(sound(3, 2)),
        "y.txt": "New.",
    }
    source = write(tmp_path / "two", {**two, "donation.toml": HEAD.replace("gift", "other")}, None)
    said, rows, rejections = run(source, tmp_path / "store")
    assert [row["utterance_id"] for row in rows] == ["y"]
    assert said["rejected"] == {"donated_before": 1}
    assert rejections[0]["source_path"] == "x.txt"
    assert run(tmp_path / "one", tmp_path / "store")[0]["utterances"] == 1


def test_05_a_sound_that_a_test_set_holds_is_refused(tmp_path: Path) -> None:
    files: dict[str, bytes | str] = {}
    for number in range(6):
        files[f"s{number}.wav"] = audio(sound(3, number))
        files[f"s{number}.txt"] = f"Sentence {'abcdef'[number]}."
    said, rows, _ = run(write(tmp_path / "one", files), tmp_path / "store")
    held = next(row for row in rows if row["split"] == "test")["utterance_id"]
    again = {"again.wav": files[f"{held}.wav"], "again.txt": "Something else.", "new.wav": audio(sound(3, 9))}
    again |= {"new.txt": "New.", "donation.toml": HEAD.replace("gift", "other")}
    said, rows, _ = run(write(tmp_path / "two", again, None), tmp_path / "store")
    assert ([row["utterance_id"] for row in rows], said["rejected"]) == (["new"], {"in_a_test_set": 1})


# --- 6 no licence, drafts, claims -------------------------------------------------------------------------


def test_06_without_a_licence_everything_waits_in_quarantine(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = {"p.wav": audio(sound(3)), "p.srt": srt((0, 2, "Hello."))}
    source, root = write(tmp_path / "Town Radio", files, None), tmp_path / "store"
    before = sorted(source.rglob("*"))
    assert main(["refresh", "donated", "--source", str(source), "--store", str(root), "--json"]) == 3
    printed = capsys.readouterr()
    said = json.loads(printed.out)
    assert (said["status"], said["published"], said["utterances"]) == ("quarantined", False, 1)
    draft = root / "quarantine" / "town_radio" / "donation.toml"
    assert str(draft) in printed.err
    assert sorted(source.rglob("*")) == before
    store = open_store(root)
    assert (store.corpus_names(), store.quarantined_names()) == ([], ["town_radio"])
    assert main(["list", "--quarantine", "--store", str(root), "--json"]) == 0
    assert list(json.loads(capsys.readouterr().out)["corpora"]) == ["town_radio"]
    assert run(source, root)[0]["status"] == "quarantined"
    filled = draft.read_text().replace('licence = ""', 'licence = "CC-BY-4.0"')
    draft.write_text(filled)
    said, rows, _ = run(source, root, donation=draft)
    assert (said["status"], rows[0]["licence"]) == ("published", "CC-BY-4.0")
    assert (store.corpus_names(), store.quarantined_names()) == (["town_radio"], [])


def test_06_neither_language_model_nor_training_sees_the_quarantine(tmp_path: Path) -> None:
    from lm.text.sentences import __name__ as sentences_module
    from training.network import config

    source = write(tmp_path / "src", {"p.wav": audio(sound(3)), "p.srt": srt((0, 2, "Hello."))}, None)
    run(source, tmp_path / "store")
    for module in (sys.modules[sentences_module], config):
        assert "quarantine" not in Path(str(module.__file__)).read_text()
    assert open_store(tmp_path / "store").corpus_names() == []


@pytest.mark.parametrize("name", ["../x", "Big", "a" * 65, "", "-a", "a/b"])
def test_a_claimed_name_must_be_plain(name: str, tmp_path: Path) -> None:
    write(tmp_path / "src", {"p.wav": b"x", "donation.toml": f'name = "{name}"\nlicence = "CC0-1.0"\n'}, None)
    with pytest.raises(SourceError, match="name"):
        run(tmp_path / "src", tmp_path / "store")


def test_a_claimed_name_that_another_donor_has_published_is_refused(tmp_path: Path) -> None:
    files: dict[str, bytes | str] = {"p.wav": audio(sound(3)), "p.srt": srt((0, 2, "Hello."))}
    run(write(tmp_path / "one", files), tmp_path / "store")
    files |= {"p.wav": audio(sound(3, 1)), "donation.toml": HEAD.replace("A Giver", "Somebody")}
    other = write(tmp_path / "two", files, None)
    with pytest.raises(SourceError, match="A Giver has published"):
        run(other, tmp_path / "store")
    said, _, _ = run(other, tmp_path / "store", name="other")
    assert said["corpus"] == "other"


def test_a_licence_that_widens_rights_counts_only_by_hand(tmp_path: Path) -> None:
    files = {"p.wav": audio(sound(3)), "p.srt": srt((0, 2, "Hello."))}
    given = tmp_path / "given.toml"
    given.write_text(HEAD.replace("CC0-1.0", "LicenseRef-archive-only") + "may_redistribute = false\n")
    source = write(tmp_path / "src", {**files, "donation.toml": HEAD + "may_redistribute = true\n"}, None)
    said, _, _ = run(source, tmp_path / "store", donation=given)
    manifest = json.loads((Path(said["path"]) / "manifest.json").read_text())
    assert (manifest["licence"], manifest["may_redistribute"]) == ("LicenseRef-archive-only", False)
    with pytest.raises(SourceError, match="only a file given by --donation"):
        run(source, tmp_path / "store")
    given.write_text(HEAD + "may_redistribute = true\n")
    said, _, _ = run(source, tmp_path / "store", donation=given)
    assert json.loads((Path(said["path"]) / "manifest.json").read_text())["may_redistribute"] is True
    said, _, _ = run(source, tmp_path / "other")
    assert json.loads((Path(said["path"]) / "manifest.json").read_text())["may_redistribute"] is None


def test_a_row_may_narrow_its_licence_but_not_widen_it(tmp_path: Path) -> None:
    table = "path,text,licence\na.wav,one,CC-BY-NC-4.0\nb.wav,two,CC0-1.0\n"
    files: dict[str, bytes | str] = {"a.wav": audio(sound(2, 1)), "b.wav": audio(sound(2, 2)), "t.csv": table}
    files["donation.toml"] = HEAD.replace("CC0-1.0", "CC-BY-4.0")
    _, rows, _ = run(write(tmp_path / "src", files, None), tmp_path / "store")
    assert [(r["licence"], "licence_claim_dropped" in r["flags"]) for r in rows] == [
        ("CC-BY-NC-4.0", False),
        ("CC-BY-4.0", True),
    ]


def test_a_pattern_that_runs_for_ever_ends_the_run_with_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("corpora.donations.patterns.search_all.__defaults__", (1.0,))
    rule = "[file_name]\npattern = '(?P<text>(a+)+)$'\n"
    source = write(tmp_path / "src", {"a" * 60 + ".wav": b"x"}, rule)
    with pytest.raises(SourceError, match="took more than"):
        run(source, tmp_path / "store")


# --- 11, 12, 14 -------------------------------------------------------------------------------------------


def test_11_every_row_names_its_donor_and_a_withdrawal_takes_exactly_those(tmp_path: Path) -> None:
    from corpora.versions.withdrawals import withdraw

    table = "path,text,speaker\na.wav,one,ann\nb.wav,two,bob\n"
    files = {"a.wav": audio(sound(2, 1)), "b.wav": audio(sound(2, 2)), "t.csv": table}
    source, store = write(tmp_path / "src", files), open_store(tmp_path / "store")
    before, rows, _ = run(source, store.root)
    assert {row["donor_id"] for row in rows} == {"A Giver"}
    withdraw(store, "gift", "bob")
    after, rows, _ = run(source, store.root)
    assert [row["speaker_id"] for row in rows] == ["ann"]
    assert after["version"] != before["version"]


def test_12_a_draft_round_trips(tmp_path: Path) -> None:
    from corpora.donations.draft import draft_text, stand_in
    from corpora.sources.opening import open_source

    source = open_source([write(tmp_path / 'Radio "Nord" é', {"p.wav": b"x"}, None)])
    wanted = stand_in(source)
    text = draft_text(wanted)
    read = parse_donation(text.encode(), "draft", UsageError)
    assert draft_text(read) == text
    for key in (
        "name",
        "donor",
        "licence",
        "language",
        "speaker_rule",
        "channel_mode",
        "encoding",
        "exclude",
    ):
        assert getattr(read, key) == getattr(wanted, key)


ALL_KEYS = HEAD + (
    'contact = "a@example.org"\nconsent = "signed 2020"\nretention_until = 2030-01-01\ndomain = "news"\n'
    'recorded_from = "1990"\nrecorded_to = "1999"\nlanguage = "en-GB"\nchannel_mode = "mix"\ntext_kind = "edited"\n'
    'timing = "utterance"\nencoding = "utf-8"\nexclude = ["*_old*"]\nmay_redistribute = false\ntiers = ["a"]\n'
    'overlaps = "keep"\nnumbers = "table"\naudio_track = 0\ntime_offset_s = 1.5\ntime_stretch = 1.001\n'
)


def test_12_every_field_of_a_donation_is_read_and_kept(tmp_path: Path) -> None:
    donation = parse_donation(ALL_KEYS.encode(), "d", UsageError)
    assert donation.about == {
        "contact": "a@example.org", "consent": "signed 2020", "retention_until": "2030-01-01", "domain": "news",
        "recorded_from": "1990", "recorded_to": "1999",
    }  # fmt: skip
    assert (donation.may_redistribute, donation.time_stretch, donation.tiers) == (False, 1.001, ("a",))
    for wrong in (
        "language = 3\n",
        'exclude = "x"\n',
        "audio_track = -1\n",
        "time_stretch = 9.0\n",
        "speaker = []\n",
    ):
        with pytest.raises(UsageError):
            parse_donation((HEAD + wrong).encode(), "d", UsageError)


def test_12_the_page_has_a_line_for_every_key(root: Path) -> None:
    page = (root / "docs" / "donations.md").read_text(encoding="utf-8")
    assert not [key for key in KEYS if f"`{key}`" not in page and f"`[{key}]`" not in page]


def test_doctor_says_what_would_go_to_quarantine(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    hours = srt((36001, 36003, "Good evening."))
    source = write(tmp_path / "src", {"p.wav": audio(sound(8)), "p.srt": hours}, None)
    assert main(["doctor", str(source), "--store", str(tmp_path / "store")]) == 0
    said = capsys.readouterr().out
    assert "would put 'src' into quarantine (no licence is named)" in said
    assert "36000 s are taken off" in said
    assert not (tmp_path / "store" / "quarantine").exists()


def test_14_unpaired_sound_and_text_are_listed(tmp_path: Path) -> None:
    files = {
        "a.wav": audio(sound(2)),
        "b.srt": srt((0, 2, "One."), (3, 5, "Two.")),
        "c.wav": audio(sound(2, 1)),
    }
    _, rows, rejections = run(write(tmp_path / "src", {**files, "c.txt": "Three."}), tmp_path / "store")
    assert [row["text"] for row in rows] == ["three"]
    assert checks(rejections) == [
        ("a.wav", "transcript_missing"),
        ("b.srt", "audio_missing"),
        ("b.srt", "audio_missing"),
    ]
