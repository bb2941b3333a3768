"""The HTTP server: one fitted model behind an API, feedback that counts at once, and the page.

``app`` puts the parts together; ``state`` holds the model and swaps it; ``people`` says who
somebody is to this server; ``routes`` answer. Needs the extra: ``pip install "matinee[serve]"``.
"""
