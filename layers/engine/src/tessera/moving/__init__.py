"""Cutouts that follow a moving target."""
