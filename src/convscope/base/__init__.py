"""What every room may import: errors, files, paths, how to run, numbers of classifiers."""
