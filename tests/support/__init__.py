"""What tests of several rooms build their inputs from."""
