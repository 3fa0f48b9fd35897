"""Published versions of a corpus: shards, index, manifest, history, and who withdrew."""
