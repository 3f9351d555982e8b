"""A network's grid: runs that are seeded, resumed, reused, and trained side by side.

May import config, nets, data and base.
"""
