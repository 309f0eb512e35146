"""Read lists of each form, some rows at a time."""
