"""Rolled programs as loops for numba: value, slopes and the update of training in one function of machine code.   (floor 3)"""
