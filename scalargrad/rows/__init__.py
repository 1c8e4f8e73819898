"""From a row of the table to functions: its text, its recorders, its methods, its slopes of slopes.   (floor 1)"""
