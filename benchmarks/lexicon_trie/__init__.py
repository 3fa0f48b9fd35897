"""`make bench-trie`: our lexicon trie beside OpenFST's ConstFst, on the same words in the same order."""
