"""Pure functions over bytes: partition tables, filesystem images, MicroPython images."""
