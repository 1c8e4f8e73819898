"""Arithmetic on floats that never raises: numbers, lists, the ends of the range.   (floor 0)"""
