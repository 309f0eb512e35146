"""Headers of images, and how they become headers of cutouts."""
