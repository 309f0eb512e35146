"""Implementations of the ports. Only `tessera_cloud.bootstrap` and tests import them."""
