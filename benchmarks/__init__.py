"""How fast convscope is, each time beside the obvious way, measured in the same run."""
