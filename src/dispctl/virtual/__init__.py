"""The virtual board: an ESP32 without hardware; imports nothing else of dispctl."""
