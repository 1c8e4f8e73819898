"""Arithmetic on floats that never raises: single numbers, lists of them, and the ends of the range.   (floor 0)"""
