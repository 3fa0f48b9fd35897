"""What makes an utterance or a corpus unfit: checks, limits, leakage, splits, and the gate before publishing."""
