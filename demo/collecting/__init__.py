"""The loop of collecting with invented volunteers: espeak-ng reads, some of it badly on purpose, and it is measured."""
