"""The page of what listening bought: what was decided stands with its sound and place, error rates before and after."""

from __future__ import annotations

import base64
import re
from pathlib import Path

import pyarrow as pa
import pytest

from corpora.browsing.columns import DOUBTS, HEARD
from corpora.browsing.index import doubt_path
from corpora.curation.curate import Wish, curate
from corpora.refresh.plan import RefreshRequest
from corpora.refresh.stage import refresh
from corpora.versions.shards import write_table
from demo.layouts import librispeech, tones
from native.flac import decode
from store.errors import UsageError
from store.opening import open_store
from store.store import Store
from tests.training.release.handmade_models import BAD, SAID, evaluation
from training import __main__ as cli
from training.pages.listening import Bought, write_listening_page

NAME = "librispeech"
HOSTILE = "<script>alert(1)</script>"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A corpus whose rows are doubted in the order of their names, and two models measured on a test set."""
    tree = librispeech.write(tmp_path / "source", tones.utterances(speakers_per_split=1, each=4))
    refresh(RefreshRequest(NAME, (Path(tree),), store=tmp_path / "store"))
    store = open_store(tmp_path / "store")
    evaluation(store, "eworse", "r1", BAD)
    evaluation(store, "ebetter", "r2", SAID)
    return store


def rows_of(store: Store) -> list[dict[str, object]]:
    batches = store.corpus(NAME).batches(
        split="train", columns=["utterance_id", "text", "duration_s", "num_samples"]
    )
    return sorted(
        (row for batch in batches for row in batch.to_pylist()), key=lambda row: str(row["utterance_id"])
    )


def doubt_by_name(store: Store) -> list[dict[str, object]]:
    rows = rows_of(store)
    figures = {name: pa.array([0.0] * len(rows), pa.float32()) for name in DOUBTS}
    figures["doubt"] = pa.array([1 - number / len(rows) for number in range(len(rows))], pa.float32())
    texts = {HEARD: ["heard so"] * len(rows), "text": [row["text"] for row in rows]}
    names = {"utterance_id": [row["utterance_id"] for row in rows]}
    write_table(doubt_path(store, store.corpus(NAME)), pa.table({**names, **figures, **texts}))
    return rows


def bought(store: Store) -> Bought:
    return Bought(NAME, store.corpus(NAME).version, "eworse", "ebetter")


def test_what_was_decided_is_heard_and_what_it_bought_is_told(
    store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = doubt_by_name(store)
    corpus = store.corpus(NAME)
    curate(store, corpus, Wish("flag", str(rows[2]["utterance_id"]), "ann", why=HOSTILE))
    curate(store, corpus, Wish("correct", str(rows[0]["utterance_id"]), "ben", text="seven red tones"))
    found = write_listening_page(bought(store), store)
    assert (found["decisions"], found["heard"], found["rows"]) == (2, 3, len(rows))
    lengths = sum(float(str(row["duration_s"])) for row in rows[:3])
    assert found["minutes"] == round((2 * lengths + 3 * 4.0) / 60, 1)
    assert found["by_kind"] == {HOSTILE: 1, "corrected": 1}
    greedy = found["compared"]["greedy"]
    assert found["wer"]["after"]["greedy"] == 0 < found["wer"]["before"]["greedy"] == greedy["wer_before"]
    page = Path(found["path"]).read_text("utf-8")
    assert page.index("place 1 ") < page.index("place 3 ") and "corrected to: seven red tones" in page
    assert "<script" not in page and "&lt;script&gt;" in page and "http" not in page
    sounds = re.findall(r'src="data:audio/flac;base64,([^"]+)"', page)
    samples = [len(decode(base64.b64decode(one)).samples) for one in sounds]
    assert samples == [rows[0]["num_samples"], rows[2]["num_samples"]]
    command = [
        "listened",
        "--corpus",
        NAME,
        "--version",
        corpus.version,
        "--before",
        "eworse",
        "--after",
        "ebetter",
    ]
    assert cli.main([*command, "--rows", "4", "--store", str(store.root)]) == 0
    assert capsys.readouterr().out.strip() == found["path"]
    assert f"<b>4</b>of {len(rows)} rows were heard" in Path(found["path"]).read_text("utf-8")


def test_where_nobody_doubted_or_decided_there_is_no_page(store: Store) -> None:
    with pytest.raises(UsageError, match="python -m training doubt --corpus librispeech"):
        write_listening_page(bought(store), store)
    doubt_by_name(store)
    with pytest.raises(UsageError, match="nobody flagged or corrected"):
        write_listening_page(bought(store), store)
