"""What all pages of the product share: one style, one way to write a figure, everything escaped."""
