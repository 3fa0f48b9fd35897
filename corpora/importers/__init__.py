"""The registry of importers, one line each: the name of the corpus and where its class stands.

Modules are imported when they are asked for. The command line, the DAG's form and the tests read this
table, so that a newcomer adds a corpus with one file and one line here.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any, cast

from corpora.importer import Importer
from corpora.options import options_of
from corpora.sources.allowed import require_allowed
from store.errors import UsageError

IMPORTERS = {
    "librispeech": "corpora.importers.librispeech:LibriSpeechImporter",
    "tedlium": "corpora.importers.tedlium:TedliumImporter",
    "fisher": "corpora.importers.fisher:FisherImporter",
    "switchboard": "corpora.importers.switchboard:SwitchboardImporter",
    "hub5_2000": "corpora.importers.nist:Hub5Importer",
    "rt03": "corpora.importers.nist:Rt03Importer",
    "common_voice": "corpora.importers.common_voice:CommonVoiceImporter",
    "campaign": "corpora.importers.campaign:CampaignImporter",
    "huggingface": "corpora.importers.huggingface:HuggingFaceImporter",
    "lhotse_shar": "corpora.importers.lhotse_shar:LhotseSharImporter",
    "nemo_tarred": "corpora.importers.nemo_tarred:NemoTarredImporter",
    "webdataset": "corpora.importers.webdataset:WebDatasetImporter",
    "donated": "corpora.importers.donated:DonatedImporter",
}


def importer_names() -> list[str]:
    """Names of all importers, in the order of the registry."""
    return list(IMPORTERS)


def allowed_options(name: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """Options that were typed outside: files must lie below the allowed roots (allowed_sources.py).

    Raises:
        UsageError: there is no such importer, or a file lies elsewhere.
    """
    files = {option.name for option in options_of(get_importer(name)) if option.is_file}
    return {
        key: str(require_allowed([str(value)])[0]) if key in files else value
        for key, value in sorted(options.items())
    }


def get_importer(name: str) -> Importer:
    """The importer of that name.

    Raises:
        UsageError: there is none; the sentence lists those there are.
    """
    target = IMPORTERS.get(name)
    if target is None:
        raise UsageError(f"there is no importer {name!r}; there are: {', '.join(IMPORTERS)}")
    module_name, _, attribute = target.partition(":")
    return cast(Importer, getattr(importlib.import_module(module_name), attribute)())
