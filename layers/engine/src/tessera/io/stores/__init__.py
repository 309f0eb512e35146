"""Parts of reading remote files with obstore."""
