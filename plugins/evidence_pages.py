"""*Speech → Lineage*: what a figure, a model, a corpus or an utterance was made of, and what was made with it.

And *certificates* beside a corpus: what of long recordings is written, and what of their texts is spoken.
Serves the certificates that alignment wrote and the recordings their players play, and no other file of the store.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fastapi import APIRouter, HTTPException
from fastapi.responses import FileResponse, HTMLResponse, JSONResponse, Response
from page_frame import PAGE_HEADERS, REPORT_HEADERS, page

from corpora.lineage.trace import trace
from native.errors import SpeechmillError
from store.errors import StoreError
from store.opening import open_store
from store.store import Store
from store.writing import read_json

router = APIRouter()
_ENDING = ".alignment.json"


def aligned_corpus(name: str) -> str:
    """What the corpus is named that is made of recordings of `name` whose times were found (training.alignment.sidecar)."""
    return f"{name[:56]}-aligned"


def certified(store: Store, corpus: str) -> str | None:
    """The name whose certificates belong to a corpus; None where it has none."""
    name = next((one.name for one in _folders(store) if aligned_corpus(one.name) == corpus), None)
    return name if name and _stems(store, name) else None


def _folders(store: Store) -> list[Path]:
    return sorted(one for one in (store.root / "aligned").glob("*") if one.is_dir())


def _stems(store: Store, name: str) -> dict[str, Path]:
    """The certificates of a name by recording; nothing where there is no such name."""
    folder = next((one for one in _folders(store) if one.name == name), None)
    if folder is None:
        return {}
    found = sorted((folder / "certificates").glob(f"*{_ENDING}"))
    return {path.name.removesuffix(_ENDING): path for path in found}


def _row(stem: str, path: Path) -> dict[str, Any]:
    try:
        answer = read_json(path)
        lost = sum(one["to_word"] - one["from_word"] for one in answer["not_spoken"])
        return {
            "stem": stem,
            "minutes": answer["duration_s"] / 60,
            "words": answer["shares"]["words_timed"],
            "speech": answer["shares"]["speech_timed"],
            "segments": len(answer["segments"]),
            "not_spoken": lost,
            "not_written": len(answer["not_written"]),
            "problem": answer.get("problem"),
        }
    except (StoreError, KeyError, TypeError) as error:
        return {"stem": stem, "error": str(error)}


@router.get("/lineage")
def lineage_page(of: str = "") -> HTMLResponse:
    """A field for a name, and its trees."""
    found, problem = None, ""
    if of.strip():
        try:
            found = trace(open_store(), of.strip())
        except SpeechmillError as error:
            problem = str(error)
    return page("lineage.html", "Lineage", of=of, answer=found, problem=problem)


@router.get("/lineage.json")
def lineage_json(of: str) -> JSONResponse:
    """The same as JSON."""
    try:
        return JSONResponse(trace(open_store(), of.strip()), headers=PAGE_HEADERS)
    except SpeechmillError as error:
        return JSONResponse({"problem": str(error)}, 404, headers=PAGE_HEADERS)


@router.get("/certificates/{name}")
def certificates_page(name: str) -> HTMLResponse:
    """The recordings of a name, the doubtful ones first."""
    rows = [_row(stem, path) for stem, path in _stems(open_store(), name).items()]
    if not rows:
        return page("message.html", status=404, text="There are no certificates of that name.")
    rows.sort(key=lambda row: (row.get("words", -1.0), row["stem"]))
    return page("certificates.html", name=name, rows=rows)


@router.get("/certificates/{name}/{stem}")
def certificate_frame(name: str, stem: str) -> HTMLResponse:
    """A certificate in a frame, with the way back."""
    if stem not in _stems(open_store(), name):
        return page("message.html", status=404, text="There is no certificate of that recording.")
    return page("certificate.html", name=name, stem=stem)


@router.get("/aligned/{name}/certificates/{file}")
def certificate(name: str, file: str) -> Response:
    """The inside of the frame."""
    path = _stems(open_store(), name).get(file.removesuffix(".html"))
    path = path and path.with_name(file)
    if path is None or path.suffix != ".html" or not path.is_file():
        raise HTTPException(404, "no such certificate")
    return FileResponse(path, media_type="text/html; charset=utf-8", headers=REPORT_HEADERS)


@router.get("/aligned/{name}/{file}")
def recording(name: str, file: str) -> Response:
    """A recording that has a certificate, in the parts that a player asks for."""
    path = _stems(open_store(), name).get(file.removesuffix(".flac"))
    path = path and path.parent.parent / file
    if path is None or path.suffix != ".flac" or not path.is_file():
        raise HTTPException(404, "no such recording")
    return FileResponse(path, media_type="audio/flac", headers={"Cache-Control": "no-cache"})
