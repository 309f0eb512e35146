"""Previews of cutouts of one cube: what they show, and the records that say what they were made of."""
