"""Text → language model: sentences, n-grams, a binary that the decoder maps, and the lexicon trie.

Start reading in `build.py`, which is the whole stage. `sentences.py` decides what text is learned from (never
the development or test transcripts), `kenlm.py` is the only file that knows KenLM's command lines.
"""
