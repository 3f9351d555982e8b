"""The stages of dvc.yaml, one module each: read the configuration, compute, write files."""
