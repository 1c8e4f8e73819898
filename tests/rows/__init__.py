"""Tests of what is made from the rows of the table."""
