"""params.yaml: typed, frozen, unknown keys refused. Nothing else reads it.

May import nets, data and base.
"""
