"""Archives and data sets: checked, made into tensors, augmented; may import base."""
