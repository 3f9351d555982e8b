"""What filters respond to (study, part 2.2.1)."""
