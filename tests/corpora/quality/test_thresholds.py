"""Limits of one's own: in the store's settings, by corpus, for one refresh; in the manifest and in the cache's key."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from corpora.__main__ import main
from corpora.quality.gate import EXPECTATIONS, refusal, run_gate
from corpora.quality.thresholds import Thresholds, parse, settings_of, thresholds_of
from corpora.refresh.plan import RefreshRequest
from corpora.refresh.stage import refresh
from demo.layouts import librispeech, tones
from store.errors import UsageError
from store.opening import open_store


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return librispeech.write(
        tmp_path_factory.mktemp("tree"), tones.utterances(speakers_per_split=1, each=2)
    ).path


def settings(store: Path, text: str) -> Path:
    store.mkdir(exist_ok=True)
    (store / "settings.toml").write_text(text)
    return store / "settings.toml"


def test_conversations_may_share_more_sentences_and_the_settings_win(tmp_path: Path) -> None:
    path = settings(
        tmp_path,
        "[thresholds]\nmax_duration_s = 30\n[thresholds.fisher]\nleaked_sentences = 0.2\nleakage_words = 6\n",
    )
    assert thresholds_of("librispeech").leaked_sentences == 0.01
    assert thresholds_of("fisher").leaked_sentences == thresholds_of("rt03").leaked_sentences == 0.15
    mine = thresholds_of("fisher", settings_of(path, "fisher"), {"leakage_words": 7})
    assert (mine.leaked_sentences, mine.leakage_words, mine.max_duration_s) == (0.2, 7, 30.0)
    other = thresholds_of("fisher", settings_of(path, "fisher-2"))
    assert (other.leaked_sentences, other.leakage_words, other.max_duration_s) == (0.15, 5, 30.0)
    assert settings_of(tmp_path / "none.toml", "fisher") == {}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            "[thresholds]\nmax_duration = 30",
            "no threshold is called 'max_duration'; did you mean 'max_duration_s'\\? there are: min_duration_s",
        ),
        (
            "[thresholds.mine]\nmax_duration_s = 'long'",
            r"\[thresholds.mine\]: max_duration_s is 'long'; wanted: a number",
        ),
        ("[thresholds]\nleakage_words = 2.5", "leakage_words is 2.5; wanted: a whole number of at least 1"),
        ("[thresholds]\nleakage_words = 0", "wanted: a whole number of at least 1"),
        ("[thresholds]\nleaked_sentences = 15", "leaked_sentences is 15; wanted: a number from 0 to 1"),
        ("[thresholds]\nsnr_db = nan", "snr_db is nan; wanted: a number"),
        ("[thresholds]\nmin_duration_s = true", "min_duration_s is True"),
        (
            "[thresholds]\nmin_duration_s = 50",
            r"min_duration_s \(50.0\) must be below max_duration_s \(40.0\)",
        ),
        ("thresholds = 3", r"write \[thresholds\] with one bracket, then one NAME = VALUE a line"),
        ("[thresholds", "is no valid TOML"),
    ],
)
def test_what_cannot_be_a_limit_is_one_clear_sentence(
    tmp_path: Path, tree: Path, text: str, says: str
) -> None:
    settings(tmp_path, text)
    with pytest.raises(UsageError, match=says):
        refresh(RefreshRequest("librispeech", (tree,), store=tmp_path, name="mine"))


def test_the_flag_says_what_it_wants() -> None:
    assert parse(["max_duration_s=30", "leakage_words = 6"]) == {"max_duration_s": 30.0, "leakage_words": 6}
    for wrong, says in (
        ("max_duration_s", "wanted NAME=VALUE"),
        ("snr_db=loud", "snr_db is 'loud'"),
        ("x=1", "'x'"),
    ):
        with pytest.raises(UsageError, match=says):
            parse([wrong])


def test_limits_decide_stand_in_the_manifest_and_make_only_their_corpus_anew(
    tmp_path: Path, tree: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(name: str, *more: str) -> Any:
        source = ["refresh", "librispeech", "--source", str(tree), "--as", name, "--store", str(tmp_path)]
        capsys.readouterr()
        status = main([*source, "--json", *more])
        return json.loads(capsys.readouterr().out) if status == 0 else status

    first, other = run("first"), run("other")
    usual = Thresholds().as_dict()
    assert open_store(tmp_path).corpus("first").manifest["thresholds"] == usual
    lengths = [
        s.as_py() for b in open_store(tmp_path).corpus("first").batches(columns=["duration_s"]) for s in b[0]
    ]
    longest_s = (min(lengths) + max(lengths)) / 2
    settings(tmp_path, f"[thresholds.first]\nmax_duration_s = {longest_s}\nslow_chars_per_s = 1.0\n")
    tight = run("first")
    assert tight["status"] == "published"
    assert tight["rejected"]["too_long"] > 0
    assert tight["utterances"] == first["utterances"] - tight["rejected"]["too_long"]
    manifest = open_store(tmp_path).corpus("first").manifest
    assert manifest["thresholds"] == usual | {"max_duration_s": longest_s, "slow_chars_per_s": 1.0}
    assert run("other")["version"] == other["version"]
    assert run("first")["status"] == "unchanged"
    assert (
        run("first", "--threshold", "max_duration_s=40", "--threshold", "slow_chars_per_s=2")["version"]
        == first["version"]
    )
    settings(tmp_path, "")
    assert run("first", "--threshold", f"max_duration_s={longest_s}")["utterances"] == tight["utterances"]
    assert main(["show", "first", "--store", str(tmp_path)]) == 0
    assert f"threshold max_duration_s = {longest_s} (usually 40.0)" in capsys.readouterr().out


def test_the_table_in_the_documents_is_the_table_in_the_code(root: Path) -> None:
    rows = [
        line.split("|")
        for line in (root / "docs/corpora.md").read_text().splitlines()
        if line.startswith("| `")
    ]
    told = {
        row[1].strip(" `"): row[2].strip() for row in rows if row[1].strip(" `") in Thresholds().as_dict()
    }
    assert told == {name: f"{value:g}" for name, value in Thresholds().as_dict().items()}


def test_a_refusal_of_the_gate_names_the_key_that_would_change_it() -> None:
    gate = run_gate({"rows": 5, "leaked_sentences": 0.2, "leaked_audio": 0})
    said = refusal("town_radio", gate)
    assert "leaked_sentences is 0.2" in said
    assert "[thresholds.town_radio] in the store's settings.toml" in said
    assert "leaked_audio" not in said
    for name in (one.name for one in EXPECTATIONS):
        figure = 1 if name != "rows" else 0
        assert f"({name} is {figure}; " in refusal("a", run_gate({name: figure}))
