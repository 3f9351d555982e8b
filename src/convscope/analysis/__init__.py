"""What a trained network looks at, loses and responds to: tensors in, tensors and tables out.

No files. May import nets, data and base; its three parts do not import each other.
"""
