"""Ratings that arrive after the fit: stored durably, used at once, and refitted later.

``store`` is the database, SQLite or PostgreSQL; ``writer`` groups commits; ``change_index`` holds
in memory which users the store has events of; ``history`` merges trained ratings with later
events; ``actions`` says what plays, likes and the like mean; ``exposures`` joins lists that were
shown with clicks, and ``anytime`` compares models by them; ``catalog_changes`` holds what
items and users are now; ``model_refit`` fits a new model on
old and new ratings. Needs the extra: ``pip install "matinee[serve]"``.
"""
