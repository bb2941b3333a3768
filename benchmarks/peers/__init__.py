"""One adapter a peer; ``contenders.py`` says what an adapter is."""
