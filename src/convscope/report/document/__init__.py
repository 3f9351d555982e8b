"""The study's report: a template, and the few functions that decide what it says.

Reads finished folders; may import study and base.
"""
