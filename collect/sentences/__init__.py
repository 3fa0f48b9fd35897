"""What is read aloud: cleaning, proposals, and in which order sentences are handed out."""
