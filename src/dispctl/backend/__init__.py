"""The embedded backend: the deployed contract on a database of its own."""
