"""Tests of all that is made from the table of operations."""
