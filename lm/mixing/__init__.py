"""Several language models → one: sources mixed by weights that suit the development transcripts."""
