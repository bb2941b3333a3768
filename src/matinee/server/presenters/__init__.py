"""From results of the library to the content of responses, one file per subject.

Presenters return plain dictionaries that match a model in ``schemas/``.
"""
