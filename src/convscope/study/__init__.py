"""What was published, as data, and the claims that are judged by it.

May import base.
"""
