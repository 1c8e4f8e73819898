"""The text of a line in each language, and the helpers it calls there.   (floor 3)"""
