"""Lambda functions in processes, and what starts them."""
