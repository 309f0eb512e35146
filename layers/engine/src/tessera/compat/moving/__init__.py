"""astrocut's functions for paths: `center_on_path` and `path_to_footprints`."""
