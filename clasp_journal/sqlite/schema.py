"""Every SQL statement, and the layout of the file.

A journal is one SQLite database in WAL mode, marked with `application_id` "CLSP", its layout numbered by
`user_version`. Any SQLite tool can read it. For people there are the views `entries`, `params` (the present
state) and `snapshots`; below them are plain tables:

    entry           one row per entry; seq is the number. Times are microseconds since 1970.
                    kind and signal are the numbers of EntryKind and SignalType.
    address, author what the ids mean; an author is a subject or session id, with the name of its client.
    snapshot        the state right after entry at_seq; rows with complete = 0 do not count, those with
                    2 are not thinned out: entries before them were forgotten.
    snapshot_param  its params; one without value_type, value and raw is a tombstone.
    clock_step      where a run of entries begins that can be bisected by time, and by how much a
                    timestamp of that run may lie below an earlier one.
    meta            epoch, the highest number ever given, how the last writer ended.
    view_reached    the views that are kept (see `clasp_journal.views`), and which entries each has seen;
                    this table and the next ones are made when a view is kept for the first time.
    view_NAME       the rows of a view: view_params, view_authors, view_authors_addresses, view_addresses,
                    view_buckets, view_kinds, and those of views of your own. minute_us and other times are
                    microseconds since 1970; X, X_type and X_raw are a value, as below.

A value stands in `value` as what it is in SQL: integer, real, text, blob. `value_type` is its CLASP type
where that does not follow from the class (int, float and string: NULL). Where SQL cannot hold it to the
bit (NaN, arrays, maps), `raw` is the CLASP value and `value` a reading aid: JSON, or NULL.
`extra` is JSON: rate, gesture_id, phase, sent, details (readable) and details_raw (hex CLASP map).
`crc` is the CRC-32, less 2**31, of the row; `checksum.py` says of which bytes.
"""

from __future__ import annotations

from collections.abc import Sequence

VERSION = 1
"""The layout that this program writes: the number of migrations."""
APPLICATION_ID = 0x434C5350
"""CLSP."""

ENTRY_COLUMNS = (
    "seq",
    "timestamp",
    "kind",
    "signal",
    "address_id",
    "author_id",
    "value_type",
    "value",
    "raw",
    "revision",
    "ttl",
    "samples",
    "extra",
    "crc",
)
PARAM_COLUMNS = (
    "snapshot_id",
    "position",
    "address_id",
    "author_id",
    "timestamp",
    "revision",
    "ttl",
    "value_type",
    "value",
    "raw",
    "crc",
)
PLAIN_COLUMNS = (*ENTRY_COLUMNS[:6], "value", "revision", "crc")
"""What most entries have."""
_PACKED = "seq, timestamp, address_id, author_id, kind, signal, revision, value, crc"
"""The same in the order in which the checksum covers them, and the checksum."""
KEY_COLUMNS = ENTRY_COLUMNS[:6]
"""What tells whether an entry matches, without its content."""

_ISO = "strftime('%Y-%m-%dT%H:%M:%S', {0} / 1000000, 'unixepoch') || printf('.%06dZ', {0} % 1000000)"
_KIND = """CASE {0}.kind WHEN 0x21 THEN 'set' WHEN 0x20 THEN 'publish' WHEN 0xE0 THEN 'expire'
        WHEN 0xE1 THEN 'mark' WHEN 0xE2 THEN 'forget' WHEN 0xE3 THEN 'gap' WHEN 0xE4 THEN 'removed'
        ELSE {0}.kind END"""
_SIGNAL = """CASE {0}.signal WHEN 0 THEN 'param' WHEN 1 THEN 'event' WHEN 2 THEN 'stream'
        WHEN 3 THEN 'gesture' WHEN 4 THEN 'timeline' ELSE {0}.signal END"""
_PHASE = """CASE {0}.extra ->> 'phase' WHEN 0 THEN 'start' WHEN 1 THEN 'move' WHEN 2 THEN 'end'
        WHEN 3 THEN 'cancel' ELSE {0}.extra ->> 'phase' END"""
_TYPE = """CASE {0}.value_type WHEN 0 THEN 'null' WHEN 1 THEN 'bool' WHEN 2 THEN 'i8' WHEN 3 THEN 'i16'
        WHEN 4 THEN 'i32' WHEN 5 THEN 'int' WHEN 6 THEN 'f32' WHEN 7 THEN 'float' WHEN 8 THEN 'string'
        WHEN 9 THEN 'bytes' WHEN 10 THEN 'array' WHEN 11 THEN 'map'
        ELSE CASE typeof({0}.value) WHEN 'real' THEN 'float' WHEN 'integer' THEN 'int'
        WHEN 'text' THEN 'string' END END"""

_ENTRIES_VIEW = f"""CREATE VIEW entries AS
SELECT e.seq, {_ISO.format("e.timestamp")} AS time, {_KIND.format("e")} AS kind,
       {_SIGNAL.format("e")} AS signal, a.text AS address, w.subject AS author, w.name AS client,
       e.value, {_TYPE.format("e")} AS type, e.revision, e.ttl, e.samples, e.extra ->> 'rate' AS rate,
       e.extra ->> 'gesture_id' AS gesture_id, {_PHASE.format("e")} AS phase, e.extra ->> 'sent' AS sent,
       e.extra -> 'details' AS details, e.timestamp
FROM entry AS e JOIN address AS a ON a.id = e.address_id JOIN author AS w ON w.id = e.author_id"""

_SNAPSHOTS_VIEW = f"""CREATE VIEW snapshots AS
SELECT id, at_seq, {_ISO.format("taken")} AS taken, params, revision_floor, complete FROM snapshot"""

_PARAMS_VIEW = f"""CREATE VIEW params AS
WITH base AS (SELECT id, at_seq FROM snapshot WHERE complete ORDER BY at_seq DESC, id DESC LIMIT 1),
     last AS (SELECT address_id, max(seq) AS seq FROM entry
              WHERE kind IN (0x21, 0xE0) AND seq > coalesce((SELECT at_seq FROM base), 0)
              GROUP BY address_id),
     param AS (SELECT address_id, author_id, timestamp, revision, ttl, value_type, value
               FROM entry WHERE kind = 0x21 AND seq IN (SELECT seq FROM last)
               UNION ALL
               SELECT address_id, author_id, timestamp, revision, ttl, value_type, value
               FROM snapshot_param WHERE snapshot_id = (SELECT id FROM base)
               AND coalesce(value_type, value, raw) IS NOT NULL
               AND address_id NOT IN (SELECT address_id FROM last))
SELECT a.text AS address, p.value, {_TYPE.format("p")} AS type, p.revision, p.ttl, w.subject AS writer,
       {_ISO.format("p.timestamp")} AS time, p.timestamp
FROM param AS p JOIN address AS a ON a.id = p.address_id JOIN author AS w ON w.id = p.author_id"""

INDEX_ENTRIES = "CREATE INDEX entry_by_address ON entry (address_id)"
DROP_INDEX = "DROP INDEX entry_by_address"

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        "CREATE TABLE meta (key TEXT PRIMARY KEY, value NOT NULL, crc INTEGER NOT NULL) WITHOUT ROWID",
        "CREATE TABLE address (id INTEGER PRIMARY KEY, text TEXT NOT NULL, crc INTEGER NOT NULL)",
        """CREATE TABLE author (
            id INTEGER PRIMARY KEY, subject TEXT NOT NULL, name TEXT, crc INTEGER NOT NULL)""",
        """CREATE TABLE entry (
            seq INTEGER PRIMARY KEY, timestamp INTEGER NOT NULL, kind INTEGER NOT NULL, signal INTEGER,
            address_id INTEGER NOT NULL, author_id INTEGER NOT NULL, value_type INTEGER, value, raw BLOB,
            revision INTEGER, ttl INTEGER, samples BLOB, extra TEXT, crc INTEGER NOT NULL)""",
        INDEX_ENTRIES,
        """CREATE TABLE snapshot (
            id INTEGER PRIMARY KEY AUTOINCREMENT, at_seq INTEGER NOT NULL, taken INTEGER NOT NULL,
            params INTEGER NOT NULL, revision_floor INTEGER NOT NULL, complete INTEGER NOT NULL,
            crc INTEGER NOT NULL)""",
        """CREATE TABLE snapshot_param (
            snapshot_id INTEGER NOT NULL, position INTEGER NOT NULL, address_id INTEGER NOT NULL,
            author_id INTEGER NOT NULL, timestamp INTEGER NOT NULL, revision INTEGER NOT NULL, ttl INTEGER,
            value_type INTEGER, value, raw BLOB, crc INTEGER NOT NULL,
            PRIMARY KEY (snapshot_id, position)) WITHOUT ROWID""",
        "CREATE TABLE clock_step (seq INTEGER PRIMARY KEY, slack_us INTEGER NOT NULL, crc INTEGER NOT NULL)",
        _ENTRIES_VIEW,
        _SNAPSHOTS_VIEW,
        _PARAMS_VIEW,
    ),
)
"""MIGRATIONS[n] turns layout n into layout n + 1."""

# The connection.

WRITER_SETTINGS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA cache_size=-65536",
    "PRAGMA temp_store=MEMORY",
    "PRAGMA wal_autocheckpoint=4000",
    "PRAGMA journal_size_limit=16777216",
    # Who waits for the journal hears within a second that another program keeps it.
    "PRAGMA busy_timeout=500",
)
READER_SETTINGS = (
    "PRAGMA query_only=1",
    "PRAGMA cache_size=-32768",
    "PRAGMA temp_store=MEMORY",
    "PRAGMA wal_autocheckpoint=0",
    "PRAGMA busy_timeout=1000",
)
AUTO_VACUUM = "PRAGMA auto_vacuum=INCREMENTAL"
SYNCHRONOUS_NORMAL = "PRAGMA synchronous=NORMAL"
SYNCHRONOUS_FULL = "PRAGMA synchronous=FULL"
READ_APPLICATION_ID = "PRAGMA application_id"
READ_VERSION = "PRAGMA user_version"
WRITE_APPLICATION_ID = f"PRAGMA application_id={APPLICATION_ID}"
WRITE_VERSION = f"PRAGMA user_version={VERSION}"
DATA_VERSION = "PRAGMA data_version"
FREE_PAGES = "PRAGMA freelist_count"
PAGE_COUNT = "PRAGMA page_count"
PAGE_SIZE = "PRAGMA page_size"
# It frees a page whenever it is stepped, and Python steps it once, whatever number it is given.
VACUUM_A_PAGE = "PRAGMA incremental_vacuum(1)"
CHECKPOINT = "PRAGMA wal_checkpoint(TRUNCATE)"
OVERWRITE_WHAT_GOES = "PRAGMA secure_delete={on}"
INTEGRITY = "PRAGMA integrity_check(20)"
HAS_TABLES = "SELECT count(*) FROM sqlite_schema"
BEGIN_WRITE = "BEGIN IMMEDIATE"
BEGIN_READ = "BEGIN"
COMMIT = "COMMIT"
ROLLBACK = "ROLLBACK"

# Facts about the whole.

READ_META = "SELECT key, value, crc FROM meta"
WRITE_META = "INSERT OR REPLACE INTO meta VALUES (?, ?, ?)"
RANGE = "SELECT (SELECT min(seq) FROM entry), (SELECT max(seq) FROM entry)"
NEW_ADDRESSES = "SELECT id, text, crc FROM address WHERE id > ? ORDER BY id"
NEW_AUTHORS = "SELECT id, subject, name, crc FROM author WHERE id > ? ORDER BY id"
INSERT_ADDRESS = "INSERT INTO address VALUES (?, ?, ?)"
INSERT_AUTHOR = "INSERT INTO author VALUES (?, ?, ?, ?)"
CLOCK_STEPS = "SELECT seq, slack_us, crc FROM clock_step ORDER BY seq"
WRITE_CLOCK_STEP = "INSERT OR REPLACE INTO clock_step VALUES (?, ?, ?)"
DELETE_CLOCK_STEPS = "DELETE FROM clock_step WHERE seq < ?"

# Entries.

_ENTRY = ", ".join(ENTRY_COLUMNS)
_PLAIN = ", ".join(PLAIN_COLUMNS)
_KEYS = ", ".join(KEY_COLUMNS)

ROWS_AT_ONCE = 64
"""Rows of one statement: more gain nothing, and older SQLites count no parameters beyond 999."""
_ROW = f"({', '.join('?' * len(ENTRY_COLUMNS))})"
INSERT_ENTRY = f"INSERT INTO entry ({_ENTRY}) VALUES {_ROW}"
INSERT_ENTRIES = f"INSERT INTO entry ({_ENTRY}) VALUES {', '.join([_ROW] * ROWS_AT_ONCE)}"
ENTRY_AT = f"SELECT {_ENTRY} FROM entry WHERE seq = ?"
_IS_PLAIN_SET = f"""kind = 0x21 AND typeof(value) = 'real' AND signal IS NOT NULL AND revision IS NOT NULL
    AND coalesce({", ".join(sorted(set(ENTRY_COLUMNS) - set(PLAIN_COLUMNS)))}) IS NULL"""
PACK = "pack_entry"
"""A function of these columns, which whoever asks for plain SETs provides; what it returns is joined."""
PACK_ARGUMENTS = len(PLAIN_COLUMNS)
PLAIN_SETS_BETWEEN = f"""SELECT group_concat({PACK}({_PACKED}), '')
    FROM entry NOT INDEXED WHERE seq > ? AND seq <= ? AND {_IS_PLAIN_SET}"""
OTHERS_BETWEEN = f"SELECT {_ENTRY} FROM entry WHERE seq > ? AND seq <= ? AND NOT ({_IS_PLAIN_SET})"
FIRST_OF_ADDRESS = "SELECT min(seq) FROM entry WHERE address_id = ?"
FIRST_OF_AUTHOR = "SELECT min(seq) FROM entry NOT INDEXED WHERE author_id = ?"
ALL_TIMES = "SELECT seq, timestamp FROM entry ORDER BY seq"
DELETE_ENTRIES = "DELETE FROM entry WHERE seq < ?"
BLANK_ENTRY = """UPDATE entry SET kind = ?, signal = NULL, address_id = ?, author_id = ?,
    value_type = NULL, value = NULL, raw = NULL, revision = NULL, ttl = NULL, samples = NULL,
    extra = ?, crc = ? WHERE seq = ?"""

# In these, ?1 and ?2 bound the number (above ?1, up to ?2); lists of ids are JSON.

_SPAN = "seq > ?1 AND seq <= ?2"


def ends(*, last: bool = False) -> str:
    """The first entry, or the last, of each address in ?3; of these the first ?4, or the last (-1: all). An
    address without entries in the span comes with NULL, behind the others."""
    order = "DESC" if last else "ASC"
    return f"""SELECT (SELECT seq FROM entry INDEXED BY entry_by_address
    WHERE address_id = wanted.value AND {_SPAN} ORDER BY seq {order} LIMIT 1), wanted.value
    FROM json_each(?3) AS wanted ORDER BY 1 {order} NULLS LAST LIMIT ?4"""


def numbers_of_addresses(*, backwards: bool = False) -> str:
    """Up to ?4 numbers of each address in ?3 in a span, as one text: `7,9;8`. What is stepped only once does
    not hand the interpreter back and forth."""
    return f"""SELECT group_concat(numbers, ';') FROM (SELECT (SELECT group_concat(seq) FROM (
    SELECT seq FROM entry INDEXED BY entry_by_address WHERE address_id = wanted.value AND {_SPAN}
    ORDER BY seq {"DESC" if backwards else "ASC"} LIMIT ?4)) AS numbers FROM json_each(?3) AS wanted)"""


def entries_at(*, backwards: bool = False, only_keys: bool = False) -> str:
    """The entries, or only their keys, with these numbers."""
    return f"""SELECT {_KEYS if only_keys else _ENTRY} FROM entry
    WHERE seq IN (SELECT value FROM json_each(?)) ORDER BY seq {"DESC" if backwards else "ASC"}"""


_NARROW_ADDRESSES = " AND address_id IN (SELECT value FROM json_each(?3))"
_NARROW_REST = """ AND (?4 IS NULL OR author_id IN (SELECT value FROM json_each(?4)))
    AND (?5 IS NULL OR kind IN (SELECT value FROM json_each(?5)))
    AND (?6 IS NULL OR signal IN (SELECT value FROM json_each(?6)))
    AND (?7 IS NULL OR timestamp >= ?7) AND (?8 IS NULL OR timestamp <= ?8)"""


def scan(
    *, addresses: bool = False, rest: bool = False, backwards: bool = False, only_keys: bool = False
) -> str:
    """The entries, or only their keys, in a span, narrowed by addresses (?3) and by the rest: authors (?4),
    kinds (?5), signals (?6) and times (?7, ?8); what is NULL does not narrow."""
    columns, order = _KEYS if only_keys else _ENTRY, "DESC" if backwards else "ASC"
    narrowed = (_NARROW_ADDRESSES if addresses else "") + (_NARROW_REST if rest else "")
    return f"SELECT {columns} FROM entry NOT INDEXED WHERE {_SPAN}{narrowed} ORDER BY seq {order}"


_CANDIDATE = "SELECT seq, timestamp, kind, address_id, revision IS NOT NULL FROM entry"
CANDIDATES = f"""{_CANDIDATE} NOT INDEXED WHERE {_SPAN} AND kind IN (0x20, 0x21, 0xE0)
    AND (?3 IS NULL OR address_id IN (SELECT value FROM json_each(?3))) ORDER BY seq DESC"""
CANDIDATES_OF_ADDRESS = f"""{_CANDIDATE} INDEXED BY entry_by_address
    WHERE address_id = ?2 AND seq <= ?1 AND kind IN (0x20, 0x21, 0xE0) ORDER BY seq DESC"""
COUNT_OF_AUTHORS = """SELECT count(*), min(seq), max(seq), min(CASE WHEN kind IN (0x21, 0xE0) THEN seq END)
    FROM entry NOT INDEXED WHERE seq > ?1 AND seq <= ?2 AND kind <> 0xE2
    AND author_id IN (SELECT value FROM json_each(?3))"""

# Snapshots.

_PARAM = ", ".join(PARAM_COLUMNS)
_SNAPSHOT = "id, at_seq, taken, params, revision_floor, complete, crc"

BEGIN_SNAPSHOT = """INSERT INTO snapshot (at_seq, taken, params, revision_floor, complete, crc)
    VALUES (?, ?, 0, ?, 0, 0)"""
INSERT_PARAM = f"INSERT INTO snapshot_param ({_PARAM}) VALUES ({', '.join('?' * len(PARAM_COLUMNS))})"
COMPLETE_SNAPSHOT = "UPDATE snapshot SET params = ?, complete = ?, crc = ? WHERE id = ?"
LET_SNAPSHOTS_LAST = "UPDATE snapshot SET complete = 2 WHERE at_seq = ? AND complete"
SNAPSHOTS = f"SELECT {_SNAPSHOT} FROM snapshot ORDER BY at_seq DESC, id DESC"
SNAPSHOT_EXISTS = "SELECT count(*) FROM snapshot WHERE id = ?"
DISOWN_SNAPSHOTS = "UPDATE snapshot SET complete = 0 WHERE at_seq >= ?"
DISOWN_SNAPSHOT = "UPDATE snapshot SET complete = 0 WHERE id = ?"
PARAMS_OF_SNAPSHOT = f"""SELECT {", ".join(PARAM_COLUMNS[2:])} FROM snapshot_param
    WHERE snapshot_id = ? AND position >= ? ORDER BY position LIMIT ?"""
DELETE_PARAMS = """DELETE FROM snapshot_param WHERE snapshot_id = ?1 AND position <
    (SELECT min(position) FROM snapshot_param WHERE snapshot_id = ?1) + ?2"""
DELETE_SNAPSHOT = "DELETE FROM snapshot WHERE id = ?"

# Copies.

COPY_SETTINGS = (
    "PRAGMA journal_mode=MEMORY",
    "PRAGMA synchronous=OFF",
    "PRAGMA cache_size=-65536",
)
ATTACH_SOURCE = "ATTACH ? AS source"
DETACH_SOURCE = "DETACH source"
COPY_ENTRIES = (
    f"INSERT INTO main.entry ({_ENTRY}) SELECT {_ENTRY} FROM source.entry WHERE {_SPAN} ORDER BY seq"
)
COPY_NAMES = (
    "INSERT INTO main.address SELECT id, text, crc FROM source.address",
    "INSERT INTO main.author SELECT id, subject, name, crc FROM source.author",
)
COPY_CLOCK_STEPS = """INSERT OR REPLACE INTO main.clock_step
    SELECT seq, slack_us, crc FROM source.clock_step WHERE seq <= ?"""
COPY_SNAPSHOT = f"""INSERT INTO main.snapshot ({_SNAPSHOT})
    SELECT {_SNAPSHOT} FROM source.snapshot WHERE id = ? AND complete"""
COPY_PARAMS = f"""INSERT INTO main.snapshot_param ({_PARAM}) SELECT {_PARAM} FROM source.snapshot_param
    WHERE snapshot_id = ? AND position >= ? AND position < ?"""
DELETE_ALL_PARAMS = "DELETE FROM snapshot_param WHERE snapshot_id = ?"

# Views that are kept. A column is a name and an SQL type; the first `key` of them are the key.

REACHED = "view_reached"
CREATE_REACHED = """CREATE TABLE IF NOT EXISTS view_reached (
    name TEXT PRIMARY KEY, version INTEGER NOT NULL, epoch TEXT NOT NULL, from_seq INTEGER NOT NULL,
    seq INTEGER NOT NULL, crc INTEGER NOT NULL) STRICT, WITHOUT ROWID"""
READ_REACHED = "SELECT name, version, epoch, from_seq, seq, crc FROM view_reached ORDER BY name"
WRITE_REACHED = "INSERT OR REPLACE INTO view_reached VALUES (?, ?, ?, ?, ?, ?)"
TABLES_OF_VIEWS = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name GLOB 'view_*' ORDER BY name"
VIEW_PREFIX = "view_"
DROP_VIEW = 'DROP TABLE IF EXISTS "{0}"'
ROWS_OF_VIEW = 'SELECT * FROM "{0}"'


def create_view(table: str, columns: Sequence[tuple[str, str]], key: int) -> str:
    """The table of some rows of a view."""
    told = ", ".join(f'"{name}" {sort}' for name, sort in columns)
    names = ", ".join(f'"{name}"' for name, _ in columns[:key])
    return f"""CREATE TABLE "{table}" ({told}, crc INTEGER NOT NULL, PRIMARY KEY ({names}))
        STRICT, WITHOUT ROWID"""


def put_view_row(table: str, columns: Sequence[tuple[str, str]]) -> str:
    """A row in place of the one with its key."""
    return f'INSERT OR REPLACE INTO "{table}" VALUES ({", ".join("?" * (len(columns) + 1))})'


def of_view_row(table: str, columns: Sequence[tuple[str, str]], key: int, *, gone: bool = False) -> str:
    """A row by its key, to be read or to be removed."""
    wanted = " AND ".join(f'"{name}" = ?' for name, _ in columns[:key])
    return f'{"DELETE" if gone else "SELECT *"} FROM "{table}" WHERE {wanted}'


# What verification asks.

COUNT_ENTRIES = "SELECT count(*) FROM entry INDEXED BY entry_by_address WHERE seq >= ? AND seq <= ?"
