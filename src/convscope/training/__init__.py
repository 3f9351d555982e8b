"""A network's grid: runs that are seeded, resumed, reused, and trained side by side.

May import config, tracking, nets, data and base.
"""
