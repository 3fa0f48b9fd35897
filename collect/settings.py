"""Where the service keeps its data and how much it takes: read once, at the start, from the environment.

SPEECHMILL_COLLECT         folder of database, sound and snapshots; default: collect/ beside the store
SPEECHMILL_COLLECT_DB      postgresql://user:password@host/name; default: SQLite in that folder
SPEECHMILL_COLLECT_MODEL   folder of a trained run that doubts clips; default: nobody doubts
SPEECHMILL_COLLECT_DECODES how many recordings are decoded at once; default 2
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from collect.errors import SettingsError


@dataclass(frozen=True)
class Limits:
    """Sizes and rates. A rate is (calls, seconds): so many in any stretch of that length, on average.

    Whole classes sit behind one address, so the limits of an address are those of a crowd.
    """

    chunk_bytes: int = 1 << 20
    take_bytes: int = 8 << 20
    form_bytes: int = 64 << 10
    text_file_bytes: int = 8 << 20
    sentence_letters: int = 300
    longest_clip_s: float = 20.0
    open_uploads_per_voice: int = 12
    calls_per_voice: tuple[int, int] = (600, 60)
    takes_per_voice: tuple[int, int] = (40, 60)
    votes_per_voice: tuple[int, int] = (120, 60)
    sentences_per_voice: tuple[int, int] = (60, 3600)
    calls_per_address: tuple[int, int] = (12_000, 60)
    joins_per_address: tuple[int, int] = (120, 3600)
    logins_per_address: tuple[int, int] = (10, 300)


@dataclass(frozen=True)
class Settings:
    """See the module."""

    folder: Path
    database_url: str
    model: Path | None = None
    store: Path | None = None
    decodes: int = 2
    limits: Limits = field(default_factory=Limits)
    model_language: str = ""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Settings:
        """The settings of this process.

        Raises:
            SettingsError: a database that is neither SQLite nor PostgreSQL, a model that is no folder.
        """
        env = os.environ if environment is None else environment
        from store.opening import default_store_path

        store = Path(env["SPEECHMILL_STORE"]) if env.get("SPEECHMILL_STORE") else default_store_path()
        folder = Path(env.get("SPEECHMILL_COLLECT") or store.parent / "collect").absolute()
        url = env.get("SPEECHMILL_COLLECT_DB") or f"sqlite:///{folder / 'collect.sqlite'}"
        model = Path(env["SPEECHMILL_COLLECT_MODEL"]) if env.get("SPEECHMILL_COLLECT_MODEL") else None
        if model is not None and not model.is_dir():
            raise SettingsError(
                f"SPEECHMILL_COLLECT_MODEL names {model}, which is no folder of a trained run"
            )
        decodes = env.get("SPEECHMILL_COLLECT_DECODES") or "2"
        if not decodes.isdigit() or not 1 <= int(decodes) <= 64:
            raise SettingsError(
                f"SPEECHMILL_COLLECT_DECODES is {decodes!r}; wanted: a whole number from 1 to 64"
            )
        released, language = released_run(store) if model is None else (model, "")
        return cls(folder, usable_url(url), released, store, int(decodes), model_language=language)


def released_run(store: Path) -> tuple[Path | None, str]:
    """The folder of the run whose package is in force in a store, and its language; None where there is none."""
    try:
        about = json.loads((store / "models/released/model.json").read_text("utf-8"))
        run, language = store / "runs" / str(about["run"]), str(about["language"])
    except (OSError, ValueError, KeyError, TypeError):
        return None, ""
    return (run, language) if run.is_dir() else (None, "")


def usable_url(url: str) -> str:
    """The URL with the driver that is installed.

    Raises:
        SettingsError: another kind of database.
    """
    kind = url.partition(":")[0]
    if kind in ("postgresql", "postgres"):
        return "postgresql+psycopg2:" + url.partition(":")[2]
    if kind in ("postgresql+psycopg2", "sqlite"):
        return url
    raise SettingsError(f"SPEECHMILL_COLLECT_DB begins with {kind}:, wanted: postgresql://… or sqlite:///…")
