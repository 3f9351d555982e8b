"""What the study published: its numbers, as tables with the names and columns of our own."""

from convscope.study.published.compare import compare
from convscope.study.published.settings import differing, fewer_images
from convscope.study.published.study import study
from convscope.study.published.tables import KEYS, printed_class_accuracy, table

__all__ = [
    "KEYS",
    "compare",
    "differing",
    "fewer_images",
    "printed_class_accuracy",
    "study",
    "table",
]
