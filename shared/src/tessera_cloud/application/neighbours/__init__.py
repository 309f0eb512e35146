"""The stars around a position: an operator's extract of a star catalogue in the bucket of cubes."""
