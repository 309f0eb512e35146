"""Jobs: orders that are made in the background."""
