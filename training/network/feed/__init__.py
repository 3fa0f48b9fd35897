"""Published shards -> batches in constant memory: a table without sound, row groups read ahead, pools.

`table` says what there is and what is left out, `reading` turns row groups into features, `sources` gives
batches to the loop, `cache` keeps features on disk. Which utterances form which batch is decided in
`batches`.
"""
