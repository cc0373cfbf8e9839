"""What the agent remembers of commands and settings across restarts."""

import msgspec
from lineset_contract.wire import FINAL_STATES, Command, Desired, Result, WireValue, encode

from lineset_agent import outbox
from lineset_agent.store import Store, put

_KEPT_COMMANDS = 2_000


class Record(msgspec.Struct, frozen=True):
    """A command as far as it came: `written` is when its write to the machine began (s since 1970), `result` the last told."""

    command: Command
    state: str
    result: Result | None
    written: float | None


class Journal:
    """Commands by id, settings as last read, the desired twin. Each change is durable before it returns."""

    def __init__(self, store: Store, box: outbox.Outbox) -> None:
        self._store = store
        self._outbox = box
        with store.reading() as connection:
            rows = connection.execute("SELECT e, setting, value FROM settings").fetchall()
        self._settings: dict[tuple[str, str], WireValue] = {(e, setting): msgspec.json.decode(value) for e, setting, value in rows}

    def find(self, command_id: str) -> Record | None:
        """A command that came before, or None."""
        with self._store.reading() as connection:
            row = connection.execute("SELECT command, state, result, written FROM commands WHERE id = ?", (command_id,)).fetchone()
        return None if row is None else _record(row)

    def unfinished(self) -> list[Record]:
        """Commands that have no final state, oldest first."""
        with self._store.reading() as connection:
            rows = connection.execute(
                "SELECT command, state, result, written FROM commands WHERE state = 'acknowledged' ORDER BY received"
            ).fetchall()
        return [_record(row) for row in rows]

    def receive(self, command: Command, now: float) -> None:
        """Remember a new command."""
        with self._store.transaction() as connection:
            connection.execute(
                "INSERT INTO commands (id, received, command, state) VALUES (?, ?, ?, 'acknowledged')",
                (command.id, now, encode(command)),
            )
            connection.execute(
                "DELETE FROM commands WHERE state <> 'acknowledged' AND received < "
                "(SELECT received FROM commands ORDER BY received DESC LIMIT 1 OFFSET ?)",
                (_KEPT_COMMANDS,),
            )

    def writing(self, command: Command, now: float, switches: bool) -> None:
        """Note, before the machine is touched, that it will be: a restart must not do it again."""
        with self._store.transaction() as connection:
            connection.execute("UPDATE commands SET written = ? WHERE id = ?", (now, command.id))
            if switches:
                put(connection, f"switched:{command.e}", repr(now))

    def tell(self, result: Result) -> None:
        """Keep a command's state and put the result into the outbox, both or neither."""
        state = result.state if result.state in FINAL_STATES else "acknowledged"
        with self._store.transaction() as connection:
            connection.execute("UPDATE commands SET state = ?, result = ? WHERE id = ?", (state, encode(result), result.id))
            outbox.add(connection, "results", result)
        self._outbox.listener()

    def last_switch(self, equipment: str) -> float | None:
        """When a command last may have started or stopped a machine (s since 1970), or None."""
        value = self._store.get(f"switched:{equipment}")
        return None if value is None else float(value)

    def setting(self, equipment: str, name: str) -> WireValue:
        """A setting as last read at the machine; None if it never was."""
        return self._settings.get((equipment, name))

    def settings(self) -> dict[str, dict[str, WireValue]]:
        """All settings as last read, by equipment."""
        found: dict[str, dict[str, WireValue]] = {}
        for (e, name), value in self._settings.items():
            found.setdefault(e, {})[name] = value
        return found

    def keep_setting(self, equipment: str, name: str, value: WireValue) -> None:
        """Remember a setting's new reading."""
        with self._store.transaction() as connection:
            connection.execute(
                "INSERT INTO settings VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value",
                (equipment, name, msgspec.json.encode(value).decode()),
            )
        self._settings[equipment, name] = value

    def desired(self) -> Desired | None:
        """The desired twin that the agent keeps to."""
        text = self._store.get("desired")
        return None if text is None else msgspec.json.decode(text, type=Desired)

    def keep_desired(self, desired: Desired) -> None:
        """Keep to another desired twin."""
        self._store.set("desired", encode(desired).decode())


def _record(row: tuple[bytes, str, bytes | None, float | None]) -> Record:
    command, state, result, written = row
    return Record(
        msgspec.json.decode(command, type=Command),
        state,
        None if result is None else msgspec.json.decode(result, type=Result),
        written,
    )
