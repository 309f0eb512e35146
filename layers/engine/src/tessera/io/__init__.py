"""Files and addresses: everything that is read or written goes through here."""
