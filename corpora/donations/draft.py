"""What is known of an archive that says nothing of itself: a stand-in, and a draft for a person to fill in.

The draft is never written beside the source; refresh.py puts it into the store's quarantine.
"""

from __future__ import annotations

import re

from corpora.donations.description import Donation
from corpora.sources.source import Source

_ORIGIN = "the draft of donation.toml"


def stand_in(source: Source, name: str | None = None) -> Donation:
    """A donation without licence, named like the archive."""
    stem = source.label.split(",")[0].split("/")[-1].lower()
    stem = re.sub(r"(\.tar)?\.(zip|tar|tgz|gz|bz2|xz|zst|001)$", "", stem)
    plain = re.sub(r"[^a-z0-9_-]+", "_", stem).strip("_-")[:64] or "donation"
    chosen = name or plain
    return Donation(name=chosen, donor=chosen, licence="", origin=_ORIGIN)


def draft_text(donation: Donation) -> str:
    """A donation.toml that says what the value says, with a comment on what a person has to add."""
    lines = [
        "# A draft: nothing is published for training until the licence is filled in.",
        "# Then run: python -m corpora refresh donated --source ARCHIVE --donation THIS_FILE",
        f"name = {_quoted(donation.name)}",
        f"donor = {_quoted(donation.donor)}",
        f"licence = {_quoted(donation.licence)}  # SPDX, for example CC-BY-4.0; what the donor agreed to",
        f"language = {_quoted(donation.language)}  # BCP 47",
        "may_redistribute = false",
        '# contact = ""\n# consent = ""\n# retention_until = ""\n# domain = ""',
        '# text_kind = "verbatim"  # verbatim | edited | subtitle | script',
        f"speaker_rule = {_quoted(donation.speaker_rule)}  # file | column | tier | voice | none",
        f"channel_mode = {_quoted(donation.channel_mode)}  # auto | mix | left | right | split",
        f"encoding = {_quoted(donation.encoding)}",
        f"exclude = [{', '.join(_quoted(glob) for glob in donation.exclude)}]",
        "",
        "# Where the text stands, if not in files beside the recordings; take the one that fits (docs/donations.md):",
        "# [file_name]  # yes_ann_3.wav",
        "# pattern = '(?P<text>[a-z]+)_(?P<speaker>[a-z]+)_'",
        "# [table]  # a line for each recording",
        "# file = 'metadata.csv'\n# delimiter = '|'\n# columns = ['id', 'text']\n# audio = 'wavs/{id}'\n# text = 'text'",
        "# [sphinx]  # lines like: TEXT (id)",
        "# transcription = 'etc/*.transcription'",
    ]
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(c if ord(c) >= 32 and ord(c) != 127 else f"\\u{ord(c):04x}" for c in escaped) + '"'
