"""What listeners decide about single utterances, and how the next version of a corpus honours it."""
