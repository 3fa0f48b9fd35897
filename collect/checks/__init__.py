"""What is judged of a recording before a person hears it."""
