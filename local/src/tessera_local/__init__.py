"""The whole of Tessera on one machine: S3 and Step Functions emulated, the deployed functions and template for real."""
