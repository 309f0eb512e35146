"""TESS identifiers, products and times."""
