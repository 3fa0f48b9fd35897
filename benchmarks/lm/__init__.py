"""What `python -m lm build` costs beside KenLM's own programs on clean text."""
