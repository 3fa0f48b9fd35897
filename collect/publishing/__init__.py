"""From the database into the mill: snapshots, corpora refreshes, exports."""
