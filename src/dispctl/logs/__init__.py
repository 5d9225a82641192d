"""A log line to an event; pure."""
