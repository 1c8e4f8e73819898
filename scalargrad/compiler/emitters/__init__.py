"""Writers of derived programs as source: forward, for slopes are in the program.   (floor 3)"""
