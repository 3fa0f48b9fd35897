"""What is not learnt from: counted by reason, with its hours, never silently. Decides nothing itself."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass(frozen=True)
class SetAside:
    """Rows that were lost to a damaged or changed shard: where, how many, why."""

    place: str
    rows: int
    reason: str

    @property
    def sentence(self) -> str:
        """For the log."""
        return f"{self.place}: {self.rows} utterances set aside: {self.reason}"


@dataclass
class LeftOut:
    """Utterances not taken and their hours, by reason; `damaged` are those of unreadable shards."""

    counts: Counter[str] = field(default_factory=Counter)
    seconds: Counter[str] = field(default_factory=Counter)
    damaged: list[SetAside] = field(default_factory=list)

    def add(self, reason: str, utterances: int, seconds: float) -> None:
        """Count utterances of one reason."""
        if utterances:
            self.counts[reason] += utterances
            self.seconds[reason] += round(seconds)

    def lines(self) -> list[str]:
        """One sentence per reason and per damaged place."""
        counted = [
            f"{count} x {reason} ({self.seconds[reason] / 3600:.2f} hours)"
            for reason, count in sorted(self.counts.items())
        ]
        return counted + [one.sentence for one in self.damaged]
