"""A finished language model's folder: its files, whether they are whole, and how it takes its place."""
