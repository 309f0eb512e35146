"""What an answer of DataLink needs to know of a cube or an image."""
