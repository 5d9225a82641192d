"""How databases made by earlier versions become what this one needs; Alembic runs ``versions`` in order.

A migration is never changed once it is released, so it says by itself what tables look like and imports none of them.
"""
