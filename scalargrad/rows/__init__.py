"""From an operation of the table to its functions, recorders and slopes of slopes.   (floor 1)"""
