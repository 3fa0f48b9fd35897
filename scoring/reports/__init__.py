"""What a score is written as: sclite's `.sys` and `.pra`, and a page."""
