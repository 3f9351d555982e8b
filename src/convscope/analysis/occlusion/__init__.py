"""Confidence under gray windows (study, part 2.1)."""
