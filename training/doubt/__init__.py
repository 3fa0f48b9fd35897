"""Which transcripts are probably wrong: every training row beside what a network hears that did not learn from it."""
