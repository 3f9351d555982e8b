"""Archives and data sets: checked, made into tensors, augmented.

May import base.
"""
