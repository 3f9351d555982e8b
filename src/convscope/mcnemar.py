"""McNemar's exact test: whether two classifiers differ on the same images."""


def p_value(only_first: int, only_second: int) -> float:
    """The two-sided p-value, in [0, 1], of what two classifiers get right.

    If both are equally good, an image that only one of them gets right is as likely the one's as
    the other's: of n such images, the number of the first is binomial (n, 1/2) (McNemar, "Note on
    the sampling error of the difference between correlated proportions", 1947).

    Args:
        only_first: How many images the first alone gets right.
        only_second: How many the second alone gets right.

    Returns:
        1 where no image tells them apart.
    """
    from scipy.stats import binomtest  # half a second to import, and few need it

    total = only_first + only_second
    return float(binomtest(only_first, total).pvalue) if total else 1.0
