"""dispctl: flash, provision, feed, watch and repair a four-jar spice dispenser."""

__version__ = "0.1.0"
