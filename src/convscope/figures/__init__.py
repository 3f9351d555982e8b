"""Arrays and tables in, matplotlib figures out; nothing here reads a file or computes a result.

Accuracies and probabilities go in as fractions, 0..1; figures show accuracies in percent. May
import base.
"""
