use crate::statements::{COLUMNS, Dialectal};

pub(super) const DIALECTAL: Dialectal = Dialectal {
    columns: COLUMNS,
    next_version: "version + 1",
    same_version: "version",
    returning_version: " RETURNING version",
    insert: "INSERT INTO {table} ({insert_columns}) VALUES ({insert_values}) \
        ON CONFLICT (session_key) DO UPDATE SET version = 1, {times}, {content} \
        WHERE {table}.expires_at <= :now RETURNING version",
    destroy: "DELETE FROM {table} WHERE session_key = :key RETURNING {live}",
    destroy_dead: None,
    find_all: None,
    clear: "DELETE FROM {table} WHERE session_key IN \
        (SELECT session_key FROM {table} WHERE {live} LIMIT :limit)",
    purge: "DELETE FROM {table} WHERE session_key IN \
        (SELECT session_key FROM {table} WHERE expires_at <= :now ORDER BY expires_at LIMIT :limit)",
    postpone: None,
    purge_column: "",
    purge_value: "",
    purge_assignment: "",
    lock_owner: None,
    renew: None,
    on_taken_trail: "ON CONFLICT (session_key) DO UPDATE SET moved_to = excluded.moved_to, \
        moved_at = excluded.moved_at, ends_at = excluded.ends_at",
    purge_trails: "DELETE FROM {table}_trails WHERE session_key IN \
        (SELECT session_key FROM {table}_trails WHERE ends_at <= :now ORDER BY ends_at LIMIT :limit)",
    clear_trails: "DELETE FROM {table}_trails WHERE session_key IN \
        (SELECT session_key FROM {table}_trails LIMIT :limit)",
    except: "instr(:except, session_key)",
    returning_key: " RETURNING session_key",
    tell: None,
    row_as_text: "",
    from_as_text: "",
    // `data` is `ANY` so that JSON stays text and MessagePack bytes.
    schema: &[
        "CREATE TABLE IF NOT EXISTS {table} (
            session_key BLOB NOT NULL PRIMARY KEY CHECK (length(session_key) = 32),
            handle TEXT NOT NULL,
            version INTEGER NOT NULL,
            created_at INTEGER NOT NULL,
            authenticated_at INTEGER,
            renewed_at INTEGER NOT NULL,
            last_seen_at INTEGER NOT NULL,
            ends_at INTEGER,
            idle_timeout_ms INTEGER,
            expires_at INTEGER,
            browser_session INTEGER NOT NULL,
            owner TEXT,
            user_agent TEXT,
            address TEXT,
            codec TEXT NOT NULL,
            data ANY NOT NULL
        ) STRICT",
        "CREATE INDEX IF NOT EXISTS {table}_expiry ON {table} (expires_at) WHERE expires_at IS NOT NULL",
        "CREATE INDEX IF NOT EXISTS {table}_owner ON {table} (owner, created_at) WHERE owner IS NOT NULL",
        "CREATE TABLE IF NOT EXISTS {table}_trails (
            session_key BLOB NOT NULL PRIMARY KEY CHECK (length(session_key) = 32),
            moved_to BLOB NOT NULL CHECK (length(moved_to) = 32),
            moved_at INTEGER NOT NULL,
            ends_at INTEGER NOT NULL
        ) STRICT",
        "CREATE INDEX IF NOT EXISTS {table}_trails_end ON {table}_trails (ends_at)",
        "CREATE TABLE IF NOT EXISTS {table}_schema (
            id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1), version INTEGER NOT NULL
        ) STRICT",
        "INSERT OR IGNORE INTO {table}_schema (id, version) VALUES (1, {schema_version})",
    ],
};
