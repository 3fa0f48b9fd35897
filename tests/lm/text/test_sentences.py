"""No dev or test sentence is learned from; counts balance; the order does not depend on the workers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from lm.text import sentences
from lm.text.files import BLOCK_BYTES, expand_paths
from lm.text.sentences import SentenceSources, held_out_sentences, write_sentences
from native import WordCounter
from store.opening import open_store

LABELS = tuple(" abcdefghijklmnopqrstuvwxyz'")
DEV = ["the quick fox ran over the hill", "yes"]
TEST = ["nobody has ever seen the sea", "uh huh"]


def written(
    root: Path, text: tuple[Path, ...] = (), workers: int = 1, keep_long: bool = False
) -> tuple[list[str], sentences.SentenceCounts]:
    store = open_store(root)
    corpora = tuple(store.corpus(name) for name in store.corpus_names())
    out = root / "sentences.txt"
    sources = SentenceSources(corpora, tuple(expand_paths(text)), LABELS, workers)
    counts = write_sentences(out, sources, held_out_sentences(corpora, keep_long))
    return out.read_text().splitlines(), counts


def test_training_transcripts_equal_to_dev_or_test_of_any_corpus_are_left_out(
    store_root: Path, write_corpus: Callable[..., Path]
) -> None:
    write_corpus("one", {"train": ["a new day", DEV[0], "yes"], "dev": DEV})
    write_corpus("two", {"train": [TEST[0], DEV[0], "the last word"], "test": TEST})
    lines, counts = written(store_root)
    assert lines == ["a new day", "yes", "the last word"]
    assert (counts.total.read, counts.total.kept, counts.total.left_out) == (6, 3, 3)
    assert counts.sources["corpus one"].short_overlap == 1
    assert counts.longest_words == 3


def test_held_out_sentences_are_readmitted_where_asked_and_counted(
    store_root: Path, write_corpus: Callable[..., Path]
) -> None:
    write_corpus("one", {"train": ["a new day", DEV[0], "yes"], "dev": DEV})
    lines, counts = written(store_root, keep_long=True)
    assert lines == ["a new day", DEV[0], "yes"]
    assert (counts.total.left_out, counts.total.readmitted, counts.total.short_overlap) == (0, 1, 1)


def test_extra_text_equal_to_dev_or_test_after_cleaning_is_left_out(
    tmp_path: Path, store_root: Path, write_corpus: Callable[..., Path]
) -> None:
    write_corpus("one", {"train": ["a new day"], "dev": DEV, "test": TEST})
    text = tmp_path / "extra.txt"
    text.write_text(
        '"The QUICK fox ran over the hill!" Uh-huh. In 1984 it was. Nobody has ever seen the sea; no.'
    )
    lines, counts = written(store_root, (text,))
    assert lines == ["a new day", "uh huh", "nobody has ever seen the sea no"]
    found = counts.sources["text extra.txt"]
    assert (found.read, found.kept, found.left_out, found.short_overlap) == (4, 2, 1, 1)
    assert found.refused == {"numbers": 1}
    assert found.read == found.kept + found.left_out + sum(found.refused.values())


def test_the_scoring_form_of_a_transcript_is_held_out_too(
    store_root: Path, write_corpus: Callable[..., Path]
) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    folder = write_corpus(
        "one", {"train": ["i said we should go home"], "dev": ["um i said we should go home"]}
    )
    rows = {"text": ["um i said we should go home"], "text_scoring": ["i said we should go home"]}
    pq.write_table(pa.table(rows), folder / "dev" / "part-00000.parquet")
    lines, counts = written(store_root)
    assert (lines, counts.total.left_out) == ([], 1)


def test_more_workers_write_the_same_sentences_in_the_same_order(tmp_path: Path, store_root: Path) -> None:
    text = tmp_path / "large.txt"
    words = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
    with text.open("w") as file:
        for number in range(300_000):
            file.write(" ".join(words[int(digit)] for digit in str(number)) + ".\n")
    assert text.stat().st_size > 3 * BLOCK_BYTES
    alone, counts = written(store_root, (text,))
    together, same = written(store_root, (text,), workers=2)
    assert together == alone and len(alone) == 300_000
    assert same.as_json() == counts.as_json()


def test_counts_of_words_are_the_same_in_memory_and_on_disk(tmp_path: Path) -> None:
    text = b"".join(b"w%d w%d same\n" % (number % 700, number % 90) for number in range(5000))
    large, small = WordCounter(str(tmp_path / "a"), 1 << 30), WordCounter(str(tmp_path / "b"), 10_000)
    for counter in (large, small):
        for line in text.split(b"\n"):
            counter.add(line)
    assert large.runs == 0 and small.runs > 3
    assert large.top(5) == small.top(5) and large.top(1) == [(b"same", 5000)]
    assert large.types() == small.types() == 701
    assert large.top(10_000) == small.top(10_000) and len(large.top(10_000)) == 701
    assert large.top(0) == small.top(0) == []
    del small, counter
    assert not list(tmp_path.iterdir())
