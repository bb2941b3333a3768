"""The HTTP server: one fitted model behind an API, feedback that counts at once, and the page.

* ``app``: the application; ``settings``, ``process`` and ``lifecycle``: how it starts, reloads
  and stops.
* ``routes/``: one router per subject. A route resolves the person, computes, and responds.
* ``schemas/``: request and response bodies, which make up the OpenAPI document.
* ``presenters/``: from results of the library to the content of a response.
* ``middleware/``: what happens to every request: metrics, security, limits, response cache.
* ``page/``: the page, a client of the API.

Needs the extra: ``pip install "matinee[serve]"``.
"""
