"""Lambda functions in processes, and the events that start them."""
