"""The matrix of what corpora share: the later sealing of two counts, what cannot be read is left out."""

from __future__ import annotations

import shutil
from pathlib import Path

from corpora.pages.leaks import leak_matrix
from corpora.refresh.plan import RefreshRequest
from corpora.refresh.stage import refresh
from demo.layouts import SpokenUtterance, librispeech, tones
from store.opening import open_store
from store.writing import write_json_atomic
from training.pages.report import write_reports

SHARED = "one two three four five six"


def import_(store: Path, name: str, texts: dict[str, str], start: int) -> None:
    utterances = [
        SpokenUtterance(f"{name} {split}", "f", text, tones.tone(200 + 37 * (start + number), 2.0), split)
        for number, (split, text) in enumerate(texts.items())
    ]
    source = librispeech.write(store.parent / f"source-{name}", utterances).path
    refresh(RefreshRequest("librispeech", (source,), name=name, store=store))


def test_rows_are_trains_and_columns_what_is_held_out(tmp_path: Path) -> None:
    store = open_store(tmp_path / "store")
    assert leak_matrix(store).names == ()
    import_(store.root, "town", {"train": SHARED, "dev": "ten tall trees fell today", "test": "seven"}, 0)
    import_(store.root, "coast", {"train": "eight", "dev": SHARED, "test": "nine"}, 3)
    assert store.corpus_names() == ["town"], "the gate refuses a sentence of dev that is learnt elsewhere"
    shutil.rmtree(tmp_path / "source-coast")
    import_(store.root, "coast", {"train": "eight", "dev": "four", "test": "nine"}, 3)
    matrix = leak_matrix(store)
    assert matrix.names == ("coast", "town")
    assert all(
        cell is not None and not cell.leaks and cell.says == "nothing" for row in matrix.rows for cell in row
    )
    pair = {"train": "town", "held_out": "coast", "speakers": 0, "sentences": 2, "audio": 1, "near_copies": 0}
    write_json_atomic(store.reports_dir / "leakage/coast.json", {"pairs": [pair]})
    (cell,) = [cell for row in leak_matrix(store).rows for cell in row if cell and cell.leaks]
    assert cell.says == "2 sentences, 1 sounds" and leak_matrix(store).rows[1][0] == cell
    page = write_reports(store).read_text("utf-8")
    assert "What the corpora share" in page and '<span class="bad">2 sentences, 1 sounds</span>' in page
    (store.corpora_dir / "town/current").resolve().joinpath("manifest.json").write_text("{")
    assert leak_matrix(store).names == ("coast",)
