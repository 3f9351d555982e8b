"""The stages of dvc.yaml, a module each: read the configuration, call other rooms, write files.

May import every room but the command line.
"""
