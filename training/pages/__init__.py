"""What people read of runs and evaluations: HTML pages, pictures, lines for the terminal."""
