"""Somebody's language model, an ARPA file or a KenLM binary, taken over with trie, alphabet and identity."""
