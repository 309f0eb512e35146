"""Circles, polygons and ranges on the sky, as the IVOA's parameters POS, CIRCLE and POLYGON describe them."""
