"""Datasets of images: their index, and cutouts of them."""
