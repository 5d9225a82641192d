"""The wire: the contract's Portuguese field names, limits and shapes; nothing else knows them."""
