"""Firmwares broken on purpose, to see that the sweeps can fail. Each is a function that breaks the one in memory."""

from .world import firmware

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def break_log() -> None:
    """The log is kept in RAM: results are not saved."""
    firmware("job_persistence").save_item = _forget
    firmware("pour").save_item = _forget


def break_checkpoints() -> None:
    """Nothing is saved within an item."""
    job_state, persistence = firmware("job_state"), firmware("job_persistence")
    save_item = persistence.save_item

    def save_results(storage: "Any", state: "Any", index: int) -> None:
        if state.codes[index] != job_state.RUNNING:
            save_item(storage, state, index)

    firmware("pour").save_item = save_results


def break_retained() -> None:
    """RTC memory is not written."""
    firmware("pour").encode_retained = lambda *_: b""


def break_saving_first() -> None:
    """The job is poured before it is saved."""
    firmware("job_persistence").save_job = _forget


def break_order() -> None:
    """The job is removed before its id is remembered as finished."""
    persistence = firmware("job_persistence")
    codec = firmware("job_state")

    def clear_job(storage: "Any", retained: "Any", state: "Any") -> None:
        storage.remove(codec.JOB_FILE)
        finished = storage.read(codec.FINISHED_FILE) if codec.FINISHED_FILE in storage.names() else b""
        storage.write(codec.FINISHED_FILE, codec.encode_finished(state, finished))
        retained.write(b"")

    persistence.clear_job = clear_job


def break_item_order() -> None:
    """An item's result is saved before the item is poured."""
    execution, codec = firmware("job_execution"), firmware("job_state")
    execute_item = execution._execute_item

    def save_then_pour(parts: "Any", state: "Any", index: int) -> "Any":
        code = state.codes[index]
        state.codes[index] = codec.DONE
        firmware("job_persistence").save_item(parts.storage, state, index)
        state.codes[index] = code
        return execute_item(parts, state, index)

    execution._execute_item = save_then_pour


def break_sync() -> None:
    """A state file stays open until the next one is touched: what littlefs still holds back is lost in a cut."""
    from .littlefs import LittlefsStorage

    write, read = LittlefsStorage.write, LittlefsStorage.read
    late: list[Any] = []

    def sync() -> None:
        for file, device in late:
            if not device.dead:
                file.close()
        late.clear()

    def read_synced(self: "Any", name: str) -> bytes:
        sync()
        return read(self, name)

    def write_late(self: "Any", name: str, data: bytes) -> None:
        sync()
        if not name.startswith("job_state"):
            write(self, name, data)
            return
        self._check()
        late.append((self._fs.open(name, "wb"), self._device))
        late[0][0].write(data)

    LittlefsStorage.read = read_synced  # type: ignore[method-assign]
    LittlefsStorage.write = write_late  # type: ignore[method-assign]


def _forget(*_: "Any") -> None:
    pass


BREAKAGES = {
    "log-in-ram": break_log,
    "no-checkpoints": break_checkpoints,
    "no-retained": break_retained,
    "not-saved-first": break_saving_first,
    "clearing-swapped": break_order,
    "result-before-pouring": break_item_order,
    "not-synced": break_sync,
}
