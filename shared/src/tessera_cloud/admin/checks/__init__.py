"""The checks of `tessera-admin doctor`: each is a function that yields lines."""
