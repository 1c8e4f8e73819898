"""Rolled programs as NumPy: vectors, matrices, rows of data as the leading axis.   (floor 3)"""
