"""DataLink 1.1: what belongs to a cube or an image."""
