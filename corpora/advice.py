"""What a person is told when a source does not fit the importer that was asked for."""

from __future__ import annotations

import logging

from corpora.errors import CorporaError, NeedsDonationError, SourceError
from corpora.faults import fault_reason
from corpora.importer import Importer, ImportOptions, Scan
from corpora.importers import IMPORTERS, get_importer
from corpora.quarantine import write_draft
from corpora.sources import Source
from corpora.store import Store

_log = logging.getLogger(__name__)


def scan_or_advise(store: Store, importer: Importer, source: Source, options: ImportOptions) -> Scan:
    """`importer.scan`; where it finds nothing, the sentence says whose layout this is and where a draft lies.

    Raises:
        SourceError, NeedsDonationError: as the importer, with the advice.
    """
    try:
        return importer.scan(source, options)
    except SourceError as error:
        raise SourceError(_joined(str(error), _others(source, importer))) from error
    except NeedsDonationError as error:
        advice = _others(source, importer)
        if error.draft and not advice:
            place = write_draft(store, error.name, error.draft)
            advice = f"a draft to fill in and to give by --donation lies at {place}"
        raise NeedsDonationError(_joined(str(error), advice), error.name, error.draft) from error
    except CorporaError:
        raise
    except Exception as error:  # no traceback for a file that nobody foresaw
        raise SourceError(f"{source.label} cannot be looked through: {fault_reason(error)}") from error


def _joined(sentence: str, advice: str) -> str:
    if not advice:
        return sentence
    return (
        f"{sentence} {advice[0].upper()}{advice[1:]}" if sentence.endswith("?") else f"{sentence}; {advice}"
    )


def _others(source: Source, importer: Importer) -> str:
    """Half a sentence: the importers that know this layout, without donations, which take anything."""
    names = [
        name
        for name in IMPORTERS
        if name not in (importer.name, "donated") and get_importer(name).recognise(source)
    ]
    return f"it looks like {' and '.join(names)}: python -m corpora refresh {names[0]} …" if names else ""
