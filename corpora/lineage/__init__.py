"""What was made of what: from a figure to the bytes of its sources, and back."""
