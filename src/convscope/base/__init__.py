"""What every room stands on: errors, files, paths, how to run, numbers of classifiers.

May import no other room.
"""
