"""Compiled loops: arrays in, arrays out. No classes, ids, files or policy in here."""
