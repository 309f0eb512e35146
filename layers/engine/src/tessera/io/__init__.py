"""Reading and writing files, URLs and S3 objects. The other packages read and write through this one."""
