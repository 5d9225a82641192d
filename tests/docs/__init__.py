"""The pages' commands, run as they stand."""
