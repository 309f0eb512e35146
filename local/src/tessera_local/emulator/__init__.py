"""The part of the one-machine stack that runs in LocalStack's own interpreter.

It imports only LocalStack, boto3 and the standard library. Both modules use internals of LocalStack and need version
4.9.2.
"""
