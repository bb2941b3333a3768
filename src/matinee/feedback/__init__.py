"""Ratings that arrive after the fit: kept in a database, counted at once, refitted later.

``store`` is the database, SQLite or PostgreSQL; ``changes`` what a server knows of it by heart;
``history`` how trained ratings and later ones make one history; ``refitting`` makes a new model of
both. Needs the extra: ``pip install "matinee[serve]"``.
"""
