"""References and hypotheses → error rates, and how sure they are."""
