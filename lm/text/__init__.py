"""Text files of any wrapping → clean sentences, letters and words, streamed."""
