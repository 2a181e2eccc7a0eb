"""The counter page and its local API (``docs/howto/local-api.md``): what a pharmacist sees of a ``nhirx.host.Host``.

``serve.serve`` runs it, ``app.create_app`` makes the ASGI application, ``desk.Desk`` is what the requests work on. Needs the
extra ``counter``; nothing here is imported before it is asked for.
"""
