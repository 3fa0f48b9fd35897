"""Sound files and streams to text with times, in the formats people use."""
