"""The page a person reads about a language model."""
