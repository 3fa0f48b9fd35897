"""A run's curve, page and metrics."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from corpora.text.normaliser import default_alphabet
from store.errors import StoreError
from store.store import Store
from store.writing import read_json
from training.environment import environment
from training.network.blame import SetAside
from training.network.config import LoopConfig
from training.network.curves import WORST, read_curve, read_worst, write_worst
from training.pages.metrics import open_metrics
from training.pages.run import before, curve_of, render_run
from training.run_state import read_state
from training.runs import inputs_of, status, train_in_store


@pytest.fixture(scope="module")
def store(tones: Any, tmp_path_factory: pytest.TempPathFactory) -> Store:
    store = Store(tmp_path_factory.mktemp("pages"))
    tones.publish(store, "tones", {"train": tones.clips(12), "dev": tones.clips(2)})
    train_in_store(tones.config(loop=LoopConfig(epochs=3, batch_size=8, threads=1)), store)
    return store


def test_a_run_leaves_a_curve_a_page_and_metrics(store: Store) -> None:
    (run_dir,) = store.runs_dir.iterdir()
    points = read_curve(run_dir)
    assert [one["epoch"] for one in points if one["dev_wer"] is not None] == [0, 1, 2]
    assert all(0 <= one["padding"] < 1 and one["loss"] > 0 for one in points)
    assert list((run_dir / "tensorboard").glob("events.*"))
    page = render_run(store, run_dir)
    for part in ("loss per utterance", "dev word error rate", "tones", "model.n_hidden", "waiting for input"):
        assert part in page
    assert page.count("<polyline") == 3 and "<script" not in page
    worst = read_worst(run_dir)
    assert worst and worst == sorted(worst, key=lambda one: (-one["edits"], one["utterance_id"]))
    assert page.count("<audio") == len(worst) and page.count("data:audio/flac;base64,ZkxhQ") == len(worst)
    assert f"<code>{worst[0]['utterance_id']}</code>" in page and "Heard worst in dev" in page
    metrics = open_metrics(store)
    assert f'speechmill_training_step{{run="{run_dir.name}",state="finished"}} 6' in metrics
    assert "speechmill_training_loss" in metrics and metrics.endswith("# EOF\n")
    assert curve_of("x", points[:1], "loss", str) is None
    alphabet = default_alphabet()
    assert read_json(run_dir / "inputs.json")["alphabet"] == alphabet.hash and alphabet.hash[:12] in page
    assert read_json(run_dir / "environment.json") == environment(1)


def test_what_any_of_several_workers_set_aside_stands_on_the_page_once(store: Store) -> None:
    (run_dir,) = store.runs_dir.iterdir()
    SetAside(run_dir, 0).add(3, [7], ["tones/<seven>"])
    SetAside(run_dir, 1).add(4, [7, 2], ["tones/<seven>", "tones/two"])
    (run_dir / "set_aside-2.json").write_text("[{")
    try:
        page = render_run(store, run_dir)
    finally:
        for path in run_dir.glob("set_aside*.json"):
            path.unlink()
    assert page.count("<code>tones/&lt;seven&gt;</code>") == page.count("<code>tones/two</code>") == 1
    assert "No utterance." in render_run(store, run_dir)


def test_the_worst_are_heard_from_the_split_that_was_measured(tones: Any, tmp_path: Path) -> None:
    own = Store(tmp_path)
    tones.publish(own, "tones", {"train": tones.clips(3), "test": tones.clips(2, 5, prefix="t")})
    folder = own.runs_dir / "measured_on_test"
    folder.mkdir(parents=True)
    (folder / "config.toml").write_text('[data]\ndev_split = "test"\n')
    (folder / "inputs.json").write_text(json.dumps(inputs_of(tones.config(), own)))
    write_worst(folder, ["tones/t000"], ["one two"], ["one"])
    state = {"run": folder.name, "state": "finished", "message": "", "step": 1, "steps": 1, "epoch": 0}
    (folder / "state.json").write_text(json.dumps({**state, "dev_wer": 0.5}))
    assert render_run(own, folder).count("<audio") == 1


def test_a_run_says_what_is_other_than_in_the_one_before(store: Store, tones: Any, tmp_path: Path) -> None:
    own = Store(tmp_path)
    shown = {}
    for number, width in enumerate((16, 24)):
        folder = own.runs_dir / f"run{number}"
        folder.mkdir(parents=True)
        (folder / "config.toml").write_text(f"seed = 1\n[model]\nn_hidden = {width}\n")
        os.utime(folder / "config.toml", (1000 + number, 1000 + number))
        (folder / "inputs.json").write_text(json.dumps({"corpora": {"town": f"v{number}"}}))
        shown[number] = before(own, folder)
    assert shown[0] is None
    assert shown[1] == {
        "run": "run0", "dev_wer": None, "settings": [("model.n_hidden", 24, 16)], "corpora": [("town", "v1", "v0")]
    }  # fmt: skip


def test_a_torn_curve_and_a_damaged_state_spoil_nothing_else(store: Store, tones: Any) -> None:
    (run_dir,) = store.runs_dir.iterdir()
    curve = run_dir / "curve.jsonl"
    whole = curve.read_text()
    curve.write_text(whole + '{"step": 7, "lo')
    assert read_curve(run_dir) == [json.loads(line) for line in whole.splitlines()]
    other = store.runs_dir / "0123456789abcdef"
    other.mkdir()
    (other / "state.json").write_text("{")
    states = {one["run"]: one["state"] for one in status(store)}
    assert states == {run_dir.name: "finished", other.name: "damaged"}
    assert "damaged" in open_metrics(store)
    (other / "state.json").write_text(
        '{"run": "x", "state": "failed", "step": "many", "steps": 3, "epoch": 0}'
    )
    [odd] = [one for one in status(store) if one["state"] == "damaged"]
    assert odd["run"] == other.name and "does not say step;" in odd["message"]
    with pytest.raises(StoreError, match="does not say step"):
        status(store, other.name)
    (other / "state.json").write_text("{")
    with pytest.raises(StoreError, match="goes on from its last checkpoint"):
        read_state(other)


def test_a_finished_run_without_its_weights_is_trained_again(
    store: Store, tones: Any, tmp_path: Path
) -> None:
    config = tones.config(loop=LoopConfig(epochs=3, batch_size=8, threads=1))
    (run_dir,) = [one for one in store.runs_dir.iterdir() if (one / "checkpoints").is_dir()]
    before = sorted(path.name for path in (run_dir / "checkpoints").iterdir())
    for path in (run_dir / "checkpoints").iterdir():
        path.unlink()
    train_in_store(config, store)
    assert sorted(path.name for path in (run_dir / "checkpoints").iterdir()) == before


def test_the_worst_are_those_with_the_most_mistakes_and_a_damaged_list_is_none(tmp_path: Path) -> None:
    said = ["one two three", "four five", "six", "seven eight"]
    write_worst(tmp_path, ["t/a", "t/b", "t/c", "t/d"], said, ["one two", "five four x", "six", "seven"])
    worst = read_worst(tmp_path)
    assert [(one["utterance_id"], one["edits"], one["words"]) for one in worst] == [
        ("t/b", 2, 2), ("t/a", 1, 3), ("t/d", 1, 2)
    ]  # fmt: skip
    (tmp_path / WORST).write_text("[{")
    assert read_worst(tmp_path) == [] and read_worst(tmp_path / "nowhere") == []


def test_a_sound_that_is_gone_is_said(tmp_path: Path) -> None:
    store = Store(tmp_path)
    folder = store.runs_dir / "old"
    folder.mkdir(parents=True)
    (folder / "config.toml").write_text("seed = 1\n")
    (folder / "inputs.json").write_text(json.dumps({"corpora": {"town": "v1"}}))
    state = {
        "run": "old",
        "state": "finished",
        "message": "",
        "step": 1,
        "steps": 1,
        "epoch": 0,
        "dev_wer": 0.5,
        "eta_s": None,
    }
    (folder / "state.json").write_text(json.dumps(state))
    write_worst(folder, ["town/u<1>"], ["one two"], ["one"])
    page = render_run(store, folder)
    assert "u&lt;1&gt;" in page and "its sound with it" in page and "<audio" not in page
