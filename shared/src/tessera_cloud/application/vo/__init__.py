"""Use cases of the protocols of the Virtual Observatory."""
