"""What every board of a fleet asks for again and again, done for many of them together."""

from collections.abc import Sequence

from dispctl.backend.batches import Batches
from dispctl.backend.security import digest
from dispctl.backend.settings import Settings
from dispctl.backend.store import fleet
from dispctl.backend.store.database import Database
from dispctl.backend.store.fleet import KnownBoard, SignOfLife


class Boards:
    """The boards as the event loop asks for them. Everything raises `StoreBusyError`."""

    def __init__(self, settings: Settings, database: Database) -> None:
        self._settings = settings
        self._database = database
        self._lookups = Batches("lookups", self._look_up)
        self._heartbeats = Batches("heartbeats", self._note)

    async def with_token(self, token: str) -> KnownBoard | None:
        """The board that holds the token, if there is one; it was heard of."""
        return await self._lookups.ask(digest(token))

    async def heartbeat(self, sign: SignOfLife) -> bool:
        """Keep what the board says of itself; False when it was forgotten meanwhile."""
        return await self._heartbeats.ask(sign)

    def close(self) -> None:
        """Let the threads go."""
        self._lookups.close()
        self._heartbeats.close()

    def _look_up(self, token_hashes: Sequence[str]) -> list[KnownBoard | None]:
        now = self._settings.clock()
        with self._database.read() as session:
            found = fleet.look_up(session, set(token_hashes))
        # A write for every poll would cost more than the poll.
        seldom = self._settings.online_within / 3
        silent = [board.id for board in found.values() if now - board.last_seen > seldom]
        if silent:
            with self._database.write(durable=False) as session:
                fleet.saw_all(session, silent, now)
        return [found.get(token_hash) for token_hash in token_hashes]

    def _note(self, signs: Sequence[SignOfLife]) -> list[bool]:
        with self._database.write(durable=False) as session:
            known = fleet.note(session, signs, self._settings.clock())
        return [sign.board_id in known for sign in signs]
