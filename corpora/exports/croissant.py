"""Croissant's form: the shards as they stand, by split, and a description in MLCommons' vocabulary.

    croissant.json    data/{train,dev,test}-00000-of-00002.parquet

`croissant.json` names every shard with its SHA-256, the columns of a row with their types, licence, language and
version, so that `mlcroissant` and data set searches read the corpus without knowing us.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from corpora.exports._files import Rows
from corpora.utterance import COLUMNS
from store.corpus import Corpus
from store.writing import sha256_file

_TYPES = {"string": "sc:Text", "int32": "cr:Int32", "int64": "cr:Int64", "float64": "cr:Float64"}
_LICENCES = "https://spdx.org/licenses/"
_CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "containedIn": "cr:containedIn",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileObject": "cr:fileObject",
    "fileProperty": "cr:fileProperty",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}


def write(corpus: Corpus, splits: list[Rows], folder: Path) -> None:
    """Shards and description into an empty folder."""
    (folder / "data").mkdir()
    files = []
    for rows in splits:
        paths = corpus.shard_paths(rows.split)
        for number, path in enumerate(paths):
            name = f"data/{rows.split}-{number:05d}-of-{len(paths):05d}.parquet"
            shutil.copyfile(path, folder / name)
            files.append((name, folder / name))
    text = json.dumps(description(corpus, files), indent=2, sort_keys=True, ensure_ascii=False)
    (folder / "croissant.json").write_text(text + "\n", "utf-8")


def description(corpus: Corpus, files: list[tuple[str, Path]]) -> dict[str, Any]:
    """The JSON-LD of some shards, given by their names in the export and where they lie."""
    manifest: Mapping[str, Any] = corpus.manifest
    said = f"{manifest['utterances']} utterances, {manifest['hours']:.2f} hours of speech, {manifest['speakers']} speakers"
    objects = [
        {
            "@type": "cr:FileObject",
            "@id": name,
            "name": name,
            "contentUrl": name,
            "encodingFormat": "application/x-parquet",
            "sha256": sha256_file(path),
            "contentSize": f"{path.stat().st_size} B",
        }
        for name, path in files
    ]
    shards = {
        "@type": "cr:FileSet",
        "@id": "shards",
        "name": "shards",
        "encodingFormat": "application/x-parquet",
        "includes": "data/*.parquet",
    }
    licence = str(manifest["licence"])
    return {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": corpus.name,
        "description": said,
        "version": f"0.0.0+{corpus.version}",
        "license": licence if licence.startswith("LicenseRef") else _LICENCES + licence,
        "inLanguage": manifest["language"],
        "url": f"urn:speechmill:{corpus.name}:{corpus.version}",
        "isLiveDataset": False,
        "distribution": [*objects, shards],
        "recordSet": [{"@type": "cr:RecordSet", "@id": "rows", "name": "rows", "field": _fields()}],
    }


def _fields() -> list[dict[str, Any]]:
    """The plain columns and the sound; lists and structures of figures stay in the shards."""
    fields = []
    for name, kind in COLUMNS:
        if kind not in (*_TYPES, "audio"):
            continue
        extract: dict[str, Any] = {"column": name}
        one: dict[str, Any] = {
            "@type": "cr:Field",
            "@id": f"rows/{name}",
            "name": name,
            "dataType": "sc:AudioObject" if kind == "audio" else _TYPES[kind],
            "source": {"fileSet": {"@id": "shards"}, "extract": extract},
        }
        if kind == "audio":
            one["source"]["transform"] = {"jsonPath": "bytes"}
        fields.append(one)
    return fields
