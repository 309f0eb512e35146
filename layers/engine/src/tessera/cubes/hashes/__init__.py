"""The record of a cube, with a hash of each frame: the HDU PROVENANCE behind the info table."""
