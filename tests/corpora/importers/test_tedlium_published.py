"""TED-LIUM, point by point, for the three releases. All talks are invented."""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from corpora.errors import SourceError
from corpora.importers._tedlium_releases import EXPECTED
from corpora.refresh.plan import RefreshRequest
from corpora.refresh.stage import refresh
from corpora.text.normaliser import Normalised, Normaliser, default_labels
from demo.layouts import Samples, files
from demo.sphere_writer import SphereFormat, sphere_bytes
from store.errors import UsageError
from tests.corpora.calls import command, publish, read, tree

RATE = 16_000
LINE = "{talk} 1 {talk} 1.00 2.00 <o,f0,female> so it 's fine\n"


def sound(seconds: float = 4.0, seed: int = 0) -> Samples:
    """Noise that is never the same twice, so that a wrong cut is seen."""
    chance = np.random.default_rng(seed)
    return chance.integers(-9000, 9000, round(seconds * RATE)).astype(np.int16)


def talk(folder: str, name: str, stm: str = LINE, seed: int = 0) -> dict[str, str | bytes]:
    """A talk's two files."""
    return {
        f"{folder}/sph/{name}.sph": sphere_bytes(sound(seed=seed), SphereFormat(RATE)),
        f"{folder}/stm/{name}.stm": stm.replace("{talk}", name),
    }


def release(number: int) -> dict[str, str | bytes]:
    """The tree of a release with one talk in every split."""
    if number == 3:
        root, splits = "TEDLIUM_release-3", "legacy/"
        extra = talk(f"{root}/data", "AnnaLee_2009G", seed=1) | talk(f"{root}/data", "KimRay_2011", seed=3)
        extra |= {f"{root}/TEDLIUM.152k.dic": "a ah\n", f"{root}/speaker-adaptation/train.lst": "x\n"}
    else:
        root, splits = f"TEDLIUM_release{number}", ""
        extra = {f"{root}/TEDLIUM.{'150K' if number == 1 else '152k'}.dic": "a ah\n"}
    names = {"train": "AnnaLee_2009G", "dev": "BobMoe_2010", "test": "KimRay_2011"}
    for seed, (split, name) in enumerate(names.items(), 1):
        extra |= talk(f"{root}/{splits}{split}", name, TEXTS[number][split], seed)
    return extra


# As the releases write: noises, variants and the trailing span in release 1 and 2, <unk> in release 3.
TEXTS = {
    1: {
        "train": "{talk} 1 {talk} 1.00 2.00 <o,f0,female> {NOISE} it 's for(2) <sil> us ({talk}-1.00-2.00)\n",
        "dev": "{talk} 1 {talk} 1.00 2.00 <F0_M> you 'd 've been\n",
        "test": "{talk} 1 {talk} 1.00 2.00 <F0_F> the students ' books\n",
    },
    2: {
        "train": "{talk} 1 {talk} 1.00 2.00 <o,f0,female> we don 't {BREATH} know ({talk}-1.00-2.00)\n",
        "dev": "{talk} 1 {talk} 1.00 2.00 <F0_M> tell 'em i 'm here\n",
        "test": "{talk} 1 {talk} 1.00 2.00 <F0_F> ' cause we do n't\n",
    },
    3: {
        "train": "{talk} 1 {talk} 1.00 2.00 <o,f0,female> so [NOISE] what\n"
        "{talk} 1 {talk} 2.00 3.00 <o,f0,female> <unk> yes\n",
        "dev": "{talk} 1 {talk} 1.00 2.00 <o,f0,male> we 'll see\n",
        "test": "{talk} 1 {talk} 1.00 2.00 <o,f0,female> rock 'n' roll\n",
    },
}
WORDS = {
    1: {"train": "it's for us", "dev": "you'd've been", "test": "the students' books"},
    2: {"train": "we don't know", "dev": "tell 'em i'm here", "test": "'cause we don't"},
    3: {"train": "so what", "dev": "we'll see", "test": "rock 'n' roll"},
}


def without_root(files: dict[str, Any]) -> dict[str, Any]:
    return {name.partition("/")[2]: content for name, content in files.items()}


@pytest.mark.parametrize("number", [1, 2, 3])
@pytest.mark.parametrize("named", [True, False])
def test_tedlium_the_release_is_told_from_the_tree(number: int, named: bool, tmp_path: Path) -> None:
    source = tree(tmp_path, release(number) if named else without_root(release(number)))
    assert read("tedlium", source).scan.notes[0] == f"release {number}"


def test_tedlium_release_overrides_and_mixed_trees_are_refused(tmp_path: Path) -> None:
    source = tree(tmp_path, release(2) | release(3))
    with pytest.raises(SourceError, match="releases 2 and 3"):
        read("tedlium", source)
    for number in ("2", "3"):
        found = read("tedlium", source, release=number)
        assert found.scan.notes[0] == f"release {number}"
        assert all(
            f"release{'' if number == '2' else '-'}{number}/" in s.audio.member for s in found.segments
        )
    bare = tree(tmp_path / "bare", talk("train", "AnnaLee_2009G"))
    assert read("tedlium", bare).scan.notes[0] == "the tree does not tell the release (--release)"
    assert read("tedlium", bare, release="1").scan.notes[0] == "release 1"
    with pytest.raises(UsageError, match="--release '4' is not allowed; allowed: auto, 1, 2, 3"):
        read("tedlium", bare, release="4")


@pytest.mark.parametrize("number", [1, 2, 3])
def test_tedlium_each_release_gives_exactly_its_utterances(number: int, tmp_path: Path) -> None:
    packed = files.pack(tree(tmp_path / "in", release(number)), tmp_path / f"release{number}.tar.gz")
    found = publish("tedlium", tmp_path / "store", packed)
    assert {row["split"]: row["text"] for row in found.rows} == WORDS[number]
    assert [
        (r["split"], r["gender"], r["speaker_id"]) for r in sorted(found.rows, key=lambda r: r["speaker_id"])
    ] == [
        ("train", "f", "AnnaLee_2009G"),
        ("dev", "m", "BobMoe_2010"),
        ("test", "f", "KimRay_2011"),
    ]
    assert {row["licence"] for row in found.rows} == {"CC-BY-NC-ND-3.0"}
    assert found.manifest["rejected"] == ({"unknown_word": 1} if number == 3 else {})


def test_tedlium_gaps_and_comments_are_counted_and_never_utterances(tmp_path: Path) -> None:
    stm = (
        ";; a comment\n"
        "{talk} 1 inter_segment_gap 0.00 1.00 <o,f0,> ignore_time_segment_in_scoring\n"
        "{talk} 1 {talk} 1.00 2.00 <o,f0,female> IGNORE_TIME_SEGMENT_IN_SCORING words\n"
        "{talk} 1 {talk} 2.00 3.00 <o,f0,female> words\n"
    )
    found = publish("tedlium", tmp_path / "store", tree(tmp_path / "in", talk("train", "Ann_2009", stm)))
    assert [row["text"] for row in found.rows] == ["words"]
    assert found.manifest["ignored"] == {"STM comment": 1, "marked ignore_time_segment_in_scoring": 2}


@pytest.mark.parametrize("label", ["", "<o,f0,male> ", "<F0_M> "])
def test_tedlium_lines_keep_all_their_words_with_and_without_label(label: str, tmp_path: Path) -> None:
    found = read(
        "tedlium", tree(tmp_path, talk("train", "Ann_2009", "{talk} 1 {talk} 1 2 " + label + "so what now\n"))
    )
    (segment,) = found.segments
    assert (segment.text_raw, segment.gender) == ("so what now", "m" if label else None)


def test_tedlium_bad_times_are_refused_and_small_overshoots_trimmed(tmp_path: Path) -> None:
    spans = [(2.0, 1.0), (2.0, 2.0), (4.0, 5.0), (3.0, 4.09), (3.1, 4.11), (1.0, 1.5)]
    stm = "".join(f"{{talk}} 1 {{talk}} {start:.2f} {end:.2f} <F0_F> some words\n" for start, end in spans)
    found = publish("tedlium", tmp_path / "store", tree(tmp_path / "in", talk("train", "Ann_2009", stm)))
    assert [(r["check"], r["line"]) for r in found.rejections] == [
        ("bad_times", 1),
        ("bad_times", 2),
        ("span_past_end", 3),
        ("span_past_end", 5),
    ]
    flags = {r["transcript_line"]: "end_trimmed" in r["flags"] for r in found.rows}
    assert flags == {4: True, 6: False}
    assert next(r["num_samples"] for r in found.rows if r["transcript_line"] == 4) == RATE


def test_tedlium_a_missing_partner_is_listed_and_the_rest_imported(tmp_path: Path) -> None:
    source = tree(
        tmp_path, talk("dev", "Ann_2009") | {"dev/sph/Bob_2010.sph": "x", "test/stm/Cy_2011.stm": LINE}
    )
    found = read("tedlium", source)
    assert [(r.source_path, r.check) for r in found.rejections] == [
        ("dev/sph/Bob_2010.sph", "transcript_missing"),
        ("test/stm/Cy_2011.stm", "audio_missing"),
    ]
    assert len(found.segments) == 1


@pytest.mark.parametrize(
    ("policy", "words", "counted"),
    [
        ("reject", ["yes we can"], {}),
        ("drop", ["so do i", "yes we can"], {"unknown_dropped": 1}),
        ("keep", ["so unk do i", "yes we can"], {"unknown_kept": 1}),
    ],
)
def test_tedlium_the_policy_for_unk(
    policy: str, words: list[str], counted: dict[str, int], tmp_path: Path
) -> None:
    stm = "{talk} 1 {talk} 1 2 <F0_F> so <unk> do i\n{talk} 1 {talk} 2 3 <F0_F> yes we can\n"
    source = tree(tmp_path / "in", talk("train", "Ann_2009", stm))
    found = publish("tedlium", tmp_path / "store", source, unk=policy)
    assert sorted(row["text"] for row in found.rows) == words
    assert {k: v for k, v in found.manifest["flags"].items() if k.startswith("unknown")} == counted
    assert found.manifest["rejected"] == ({"unknown_word": 1} if policy == "reject" else {})
    if policy != "reject":
        assert "so <unk> do i" in {row["text_raw"] for row in found.rows}


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("it 's", "it's"),
        ("you 'd 've", "you'd've"),
        ("i 'm", "i'm"),
        ("don 't", "don't"),
        ("do n't", "don't"),
        ("we 're they 'll", "we're they'll"),
        ("students '", "students'"),
        ("students ' books", "students' books"),
        ("' cause", "'cause"),
        ("tell 'em", "tell 'em"),
        ("rock 'n' roll", "rock 'n' roll"),
        ("for(2) us", "for us"),
        ("so (AnnaLee_2009G-12.30-17.85)", "so"),
        ("{SMACK} <sil> {COUGH} well", "well"),
    ],
)
def test_tedlium_the_table_of_clitics(raw: str, text: str) -> None:
    result = Normaliser(default_labels(), "tedlium").normalise(raw)
    assert isinstance(result, Normalised)
    assert result.text == text


def snapshot(root: Path) -> dict[str, tuple[str, int]]:
    return {
        str(path.relative_to(root)): (hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_mtime_ns)
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }


def test_tedlium_sources_are_never_changed(tmp_path: Path) -> None:
    source = tree(tmp_path / "in", release(3))
    before = snapshot(source)
    for path in [source, *source.rglob("*")]:
        path.chmod(stat.S_IRUSR | stat.S_IXUSR if path.is_dir() else stat.S_IRUSR)
    try:
        publish("tedlium", tmp_path / "store", source)
        assert snapshot(source) == before
    finally:
        for path in [source, *source.rglob("*")]:
            path.chmod(0o700)


def test_tedlium_data_beside_the_test_of_legacy_is_leakage(tmp_path: Path) -> None:
    tree_files = {k: v for k, v in release(3).items() if "legacy/train" not in k}
    with pytest.raises(SourceError, match=r"leakage: .*data/ also holds the talks of dev and test"):
        read("tedlium", tree(tmp_path / "partial", tree_files))
    whole = read("tedlium", tree(tmp_path / "whole", release(3)))
    assert all("/legacy/" in segment.audio.member for segment in whole.segments)
    passed = [i.source_path for i in whole.ignored if i.reason == "outside train, dev and test"]
    assert len(passed) == 4 and all("/data/" in name for name in passed)


def test_tedlium_data_alone_is_split_by_people(tmp_path: Path) -> None:
    names = [f"Person{letter}_{year}" for letter in "ABCDEF" for year in (2009, 2011)]
    source = tree(
        tmp_path / "in", {k: v for n, name in enumerate(names) for k, v in talk("data", name, seed=n).items()}
    )
    found = publish("tedlium", tmp_path / "store", source)
    where: dict[str, set[str]] = {}
    for row in found.rows:
        where.setdefault(row["recording_id"].split("_")[0], set()).add(row["split"])
    assert all(len(splits) == 1 for splits in where.values())
    assert {s for splits in where.values() for s in splits} == {"train", "dev", "test"}
    assert found.manifest["split_rule"] == "speaker"


def test_tedlium_a_second_run_does_nothing(tmp_path: Path) -> None:
    source = tree(tmp_path / "in", release(2))
    first = publish("tedlium", tmp_path / "store", source)
    again = refresh(RefreshRequest("tedlium", (source,), store=tmp_path / "store"))
    assert (again["status"], again["version"]) == ("unchanged", first.said["version"])
    os.utime(next(source.rglob("*.stm")))  # looked at again, found the same
    assert (
        refresh(RefreshRequest("tedlium", (source,), store=tmp_path / "store"))["version"]
        == first.said["version"]
    )


def test_tedlium_counts_are_compared_with_the_published_ones(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    source, store = tree(tmp_path / "in", release(2)), tmp_path / "store"
    assert command(monkeypatch, "refresh", "tedlium", "--source", str(source), "--store", str(store)) == 0
    printed = capsys.readouterr().out
    assert "train recordings: 1 of 1,495 as published" in printed
    assert "train utterances: 1 of 92,973 as published" in printed
    assert "test hours: 0.0 of 2.62 as published" in printed
    assert EXPECTED["3"]["train"] == {"recordings": 2351, "utterances": 268_263, "hours": 452.0}
    assert EXPECTED["1"]["train"]["recordings"] == 774


def test_tedlium_segments_equal_their_stretch_of_the_talk(tmp_path: Path) -> None:
    spans = [(0.0, 0.5), (0.333, 1.0), (1.01, 2.457), (3.5, 4.0)]
    stm = "".join(f"{{talk}} 1 {{talk}} {start} {end} <F0_F> some words\n" for start, end in spans)
    found = read("tedlium", tree(tmp_path, talk("train", "Ann_2009", stm, seed=7)))
    for segment, (start, end) in zip(found.segments, spans, strict=True):
        assert np.array_equal(
            found.sound(segment).samples, sound(seed=7)[round(start * RATE) : round(end * RATE)]
        )


def test_tedlium_people_in_several_splits_are_reported(tmp_path: Path) -> None:
    source = tree(tmp_path, talk("train", "Ann_2009") | talk("test", "Ann_2011P") | talk("dev", "Bob_2010"))
    notes = read("tedlium", source).scan.notes
    assert [note for note in notes if "speaks in" in note] == [
        "Ann speaks in test and train: the official splits share this person"
    ]


def test_tedlium_padding_is_bounded_by_neighbours_and_the_end(tmp_path: Path) -> None:
    spans = [(0.05, 1.0), (1.04, 2.0), (2.5, 3.0), (3.5, 3.95)]
    stm = "".join(f"{{talk}} 1 {{talk}} {start:.2f} {end:.2f} <F0_F> some words\n" for start, end in spans)
    source = tree(tmp_path, talk("train", "Ann_2009", stm, seed=7) | talk("dev", "Bob_2010", stm, seed=8))
    found = read("tedlium", source, pad="yes")
    train = [s for s in found.segments if s.split == "train"]
    wide = [(0.0, 1.04), (1.0, 2.1), (2.35, 3.1), (3.35, 4.05)]
    assert [(s.audio.start_s, s.audio.end_s) for s in train] == [pytest.approx(pair) for pair in wide]
    assert len(found.sound(train[-1]).samples) == round(0.65 * RATE)
    assert [(s.audio.start_s, s.audio.end_s) for s in found.segments if s.split == "dev"] == spans
    plain = read("tedlium", source)
    assert [s.utterance_id for s in plain.segments] == [s.utterance_id for s in found.segments]
    assert [(s.audio.start_s, s.audio.end_s) for s in plain.segments if s.split == "train"] == spans


def test_tedlium_links_inside_the_root_are_followed_and_others_refused(tmp_path: Path) -> None:
    root = tree(tmp_path / "in", talk("TEDLIUM_release-3/data", "Ann_2009", seed=1)) / "TEDLIUM_release-3"
    outside = tree(tmp_path / "elsewhere", {"Bob_2010.sph": "secret", "Bob_2010.stm": LINE})
    for kind in ("sph", "stm"):
        (root / "legacy/train" / kind).mkdir(parents=True)
        (root / "legacy/train" / kind / f"Ann_2009.{kind}").symlink_to(
            f"../../../data/{kind}/Ann_2009.{kind}"
        )
        (root / "legacy/train" / kind / f"Bob_2010.{kind}").symlink_to(outside / f"Bob_2010.{kind}")
    found = read("tedlium", root)
    assert [s.audio.member for s in found.segments] == ["legacy/train/sph/Ann_2009.sph"]
    assert np.array_equal(found.sound(found.segments[0]).samples, sound(seed=1)[RATE : 2 * RATE])
    assert [(r.source_path, r.check) for r in found.source.rejections] == [
        ("legacy/train/sph/Bob_2010.sph", "unsafe_member"),
        ("legacy/train/stm/Bob_2010.stm", "unsafe_member"),
    ]


def test_tedlium_copies_of_a_talk_must_be_equal(tmp_path: Path) -> None:
    source = tree(tmp_path, talk("a/train", "Ann_2009", seed=1) | talk("b/train", "Ann_2009", seed=1))
    assert len(read("tedlium", source).segments) == 1
    tree(source, talk("b/train", "Ann_2009", seed=2))
    found = read("tedlium", source)
    assert found.segments == []
    assert {r.check for r in found.rejections} == {"conflicting_copies", "audio_missing"}
