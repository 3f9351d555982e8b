"""Two states of the project compared: both run in one clone, what moved told in one answer.

May import every room but the command line.
"""
