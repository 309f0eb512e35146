"""Classes and functions under astrocut's names. Only the command line and `tessera/__init__.py` import them."""
