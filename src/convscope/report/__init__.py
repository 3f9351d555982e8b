"""What people read: the study's report, and the network live on a page.

Reads finished folders; may import everything below but what trains and tracks.
"""
