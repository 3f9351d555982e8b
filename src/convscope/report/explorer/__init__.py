"""A network, live on a page: what it holds, packed, and the page's own scripts in web/.

Reads a trained network, its data set and the analyses' finished folders.
"""
