"""The outside world: each module is the only one that knows one foreign thing."""
