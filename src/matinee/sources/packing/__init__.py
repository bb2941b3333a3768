"""Packing: ratings of any size into a folder that is mapped and read in blocks."""
