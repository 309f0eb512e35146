"""The format of cubes: layout, headers, info table, and reading."""
