"""Writers of derived programs as source: forward only, for the derivative is in the program.   (floor 3)"""
