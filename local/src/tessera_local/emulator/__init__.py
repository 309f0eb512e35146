"""The part of the one-machine stack that runs inside LocalStack's own interpreter.

Only LocalStack, boto3 and the standard library are imported here. Both modules lean on internals of LocalStack and are
pinned to version 4.9.2.
"""
