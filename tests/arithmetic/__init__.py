"""Tests of the arithmetic on floats."""
