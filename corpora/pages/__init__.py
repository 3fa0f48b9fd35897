"""Parts of the pages about a corpus: pictures of sounds, and what became of it over its versions."""
