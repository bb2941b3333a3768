"""Ratings that arrive after the fit: stored durably, used at once, and refitted later.

``store`` is the database, SQLite or PostgreSQL; ``writer`` groups commits; ``change_index`` holds
in memory which users the store has events of; ``history`` merges trained ratings with later
events; ``model_refit`` fits a new model on both. Needs the extra: ``pip install "matinee[serve]"``.
"""
