"""Read catalogues of light curves that lists of targets leave."""
