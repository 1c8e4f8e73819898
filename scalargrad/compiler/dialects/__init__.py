"""How a line reads in each language, and the helpers it calls there.   (floor 3)"""
