"""Windows that are read straight from frames, where no cube has been made of them."""
