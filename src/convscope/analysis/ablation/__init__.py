"""Filters zeroed, together and each alone (study, part 2.2.2)."""
