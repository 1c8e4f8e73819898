"""Programs as straight-line Python: the standard library alone, bit for bit what Values compute.   (floor 3)"""
