"""What pages cost to make: the report of a corpus at the size of real ones."""
