"""Arithmetic on floats that never raises, and keeps all digits in hard cases.   (floor 0)"""
