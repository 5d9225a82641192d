"""The calls of the contract: HTTP in, a transaction, HTTP out."""
