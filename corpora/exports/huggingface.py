"""Hugging Face's form: the shards as they stand, named by split, and a dataset card.

    README.md    data/{train,dev,test}-00000-of-00002.parquet

The shards already are what `datasets` reads as an Audio feature (their schema says so), so bytes are copied
and nothing is encoded again. The card's front matter names licence, language, sizes and files by split.
"""

from __future__ import annotations

import html
import json
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from corpora.exports._files import Rows
from store.console import printable
from store.corpus import Corpus

_WORD = re.compile(r"[A-Za-z][A-Za-z0-9.-]*")
_SPLIT_NAMES = {"train": "train", "dev": "validation", "test": "test"}
_KNOWN_LICENCES = {
    "cc0-1.0",
    "cc-by-4.0",
    "cc-by-sa-4.0",
    "cc-by-nc-nd-3.0",
    "cc-by-3.0",
    "cc-by-sa-3.0",
    "mit",
}


def write(corpus: Corpus, splits: list[Rows], folder: Path) -> None:
    """Shards and card into an empty folder."""
    (folder / "data").mkdir()
    for rows in splits:
        paths = corpus.shard_paths(rows.split)
        for number, path in enumerate(paths):
            shutil.copyfile(path, folder / "data" / f"{rows.split}-{number:05d}-of-{len(paths):05d}.parquet")
    (folder / "README.md").write_text(card(corpus, [rows.split for rows in splits]), "utf-8")


def card(corpus: Corpus, splits: list[str], files: str = "data/{split}-*.parquet") -> str:
    """README.md: licence, language, sizes and the files by split, as a pattern in which `{split}` stands."""
    manifest: Mapping[str, Any] = corpus.manifest
    lines = [
        "---",
        f"pretty_name: {_value(corpus.name)}",
        "task_categories:",
        "- automatic-speech-recognition",
    ]
    lines += [
        "language:",
        f"- {_value(manifest['language'].partition('-')[0])}",
        *_licence(manifest["licence"]),
    ]
    lines += ["configs:", "- config_name: default", "  data_files:"]
    for split in splits:
        lines += [f"  - split: {_SPLIT_NAMES[split]}", f"    path: {files.format(split=split)}"]
    lines += ["---", "", f"# {_plain(corpus.name)}", ""]
    lines += [
        f"{manifest['utterances']} utterances, {manifest['hours']:.2f} hours, {manifest['speakers']} speakers; "
        f"version {corpus.version} of the store, normaliser {manifest['normaliser_version']}.",
        "",
        "| split | utterances | hours | speakers |",
        "|---|---|---|---|",
    ]
    for split in splits:
        part = manifest["splits"][split]
        lines.append(
            f"| {_SPLIT_NAMES[split]} | {part['utterances']} | {part['hours']:.3f} | {part['speakers']} |"
        )
    lines += [
        "",
        "Licences by hours: "
        + ", ".join(f"{_plain(k)} {v:.2f} h" for k, v in manifest["licences"].items())
        + ".",
    ]
    lines += ["", "`audio` is FLAC, 16-bit mono; `text` is normalised, `text_raw` is the source's own.", ""]
    return "\n".join(lines)


def _value(text: str) -> str:
    """A donor's word as one value of the front matter, whatever it holds: what is not plain stands in quotes."""
    return text if _WORD.fullmatch(text) else json.dumps(text)


def _plain(text: str) -> str:
    """A donor's word in the page's text: one line, no mark-up."""
    return re.sub(r"([\\`*_\[\]|#~])", r"\\\1", html.escape(" ".join(printable(text).split())))


def _licence(licence: str) -> list[str]:
    """The hub knows a list of licences by lower-case name; others are `other` with a name of their own."""
    name = licence.lower()
    return (
        [f"license: {name}"]
        if name in _KNOWN_LICENCES
        else ["license: other", f"license_name: {_value(name)}"]
    )
