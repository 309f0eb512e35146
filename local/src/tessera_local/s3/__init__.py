"""S3 of the one-machine stack: the operations that Tessera and its clients use, with S3's rules, on a disk.

It is one process with one thread that owns the objects, so between two `await` nothing changes. What S3 has and this
server has not is refused with the status 501 and the name of it. Three things differ on purpose: a signature is checked
in addresses that are signed in advance, and not in headers; a checksum CRC32C or CRC64NVME is refused; a rule of a
lifecycle is kept, and carried out by the stack when it starts.
"""
