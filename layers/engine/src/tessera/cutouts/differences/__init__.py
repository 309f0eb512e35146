"""Cutouts of differences."""
