"""Trained networks compared: accuracies, how much of them is luck, ways to test.

Tensors and histories in, tables out. May import nets, data and base.
"""
