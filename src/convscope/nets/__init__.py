"""The study's networks as layer lists: built, measured, run, and read back from their files.

May import data and base.
"""
