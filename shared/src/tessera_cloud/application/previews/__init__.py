"""Previews of cutouts."""
