"""Newer versions of what the repository pins: `make upgrade-pins` runs it.

A pin is looked up where its publisher has it, with the checksum published there. What cannot be asked is
unknown, never "nothing newer".
"""
