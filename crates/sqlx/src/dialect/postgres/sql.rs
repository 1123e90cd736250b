use crate::statements::{COLUMNS, Dialectal, OwnerLock};

pub(super) const DIALECTAL: Dialectal = Dialectal {
    columns: COLUMNS,
    next_version: "version + 1",
    same_version: "version",
    returning_version: " RETURNING version",
    insert: "INSERT INTO {table} ({insert_columns}) VALUES ({insert_values}) \
        ON CONFLICT (session_key) DO UPDATE SET version = 1, {times}, {content} \
        WHERE {table}.expires_at <= :now RETURNING version",
    destroy: "DELETE FROM {table} WHERE session_key = :key \
        RETURNING CASE WHEN {live} THEN CAST(1 AS BIGINT) ELSE CAST(0 AS BIGINT) END{and_tell_row}",
    destroy_dead: None,
    find_all: None,
    clear: "DELETE FROM {table} WHERE session_key IN \
        (SELECT session_key FROM {table} WHERE {live} LIMIT :limit){returning_tell_all}",
    // A row that another instance is purging is skipped. A row that was refreshed meanwhile is looked at
    // again by the outer condition.
    purge: "DELETE FROM {table} WHERE session_key IN \
        (SELECT session_key FROM {table} WHERE expires_at <= :now ORDER BY expires_at LIMIT :limit \
        FOR UPDATE SKIP LOCKED) AND expires_at <= :now",
    lock_owner: Some(OwnerLock {
        statement: "SELECT pg_advisory_xact_lock(:lock)",
        mask: -1,
    }),
    renew: Some(
        "WITH moved AS (UPDATE {table} SET session_key = :to, handle = :handle, {times} \
            WHERE session_key = :key AND {live} RETURNING version{and_tell_from}), \
        trail AS (INSERT INTO {table}_trails (session_key, moved_to, moved_at, ends_at) \
            SELECT :key, :to, :renewed_at, :trail_ends_at FROM moved {on_taken_trail}) \
        SELECT version FROM moved",
    ),
    on_taken_trail: "ON CONFLICT (session_key) DO UPDATE SET moved_to = excluded.moved_to, \
        moved_at = excluded.moved_at, ends_at = excluded.ends_at",
    purge_trails: "DELETE FROM {table}_trails WHERE session_key IN \
        (SELECT session_key FROM {table}_trails WHERE ends_at <= :now ORDER BY ends_at LIMIT :limit \
        FOR UPDATE SKIP LOCKED) AND ends_at <= :now",
    clear_trails: "DELETE FROM {table}_trails WHERE session_key IN \
        (SELECT session_key FROM {table}_trails LIMIT :limit)",
    except: "position(session_key IN :except)",
    returning_key: " RETURNING session_key",
    tell: Some("pg_notify('{table}_endings', {payload})"),
    row_as_text: "encode(session_key, 'hex')",
    from_as_text: "encode(:key, 'hex')",
    // No `CHECK`: the server would parse it for each write, which costs a sixth of an `UPDATE`.
    // `COLLATE \"C\"`: owners are compared byte by byte, whatever the database's collation.
    schema: &[
        "CREATE TABLE IF NOT EXISTS {table} (
            session_key BYTEA NOT NULL PRIMARY KEY,
            handle TEXT NOT NULL,
            version BIGINT NOT NULL,
            created_at BIGINT NOT NULL,
            authenticated_at BIGINT,
            renewed_at BIGINT NOT NULL,
            last_seen_at BIGINT NOT NULL,
            ends_at BIGINT,
            idle_timeout_ms BIGINT,
            expires_at BIGINT,
            browser_session BIGINT NOT NULL,
            owner TEXT COLLATE \"C\",
            user_agent TEXT,
            address TEXT,
            codec TEXT NOT NULL,
            data BYTEA NOT NULL
        )",
        "CREATE INDEX IF NOT EXISTS {table}_expiry ON {table} (expires_at) WHERE expires_at IS NOT NULL",
        "CREATE INDEX IF NOT EXISTS {table}_owner ON {table} (owner, created_at) WHERE owner IS NOT NULL",
        "CREATE TABLE IF NOT EXISTS {table}_trails (
            session_key BYTEA NOT NULL PRIMARY KEY,
            moved_to BYTEA NOT NULL,
            moved_at BIGINT NOT NULL,
            ends_at BIGINT NOT NULL
        )",
        "CREATE INDEX IF NOT EXISTS {table}_trails_end ON {table}_trails (ends_at)",
        "CREATE TABLE IF NOT EXISTS {table}_schema (
            id BIGINT NOT NULL PRIMARY KEY CHECK (id = 1), version BIGINT NOT NULL
        )",
        "INSERT INTO {table}_schema (id, version) VALUES (1, {schema_version}) ON CONFLICT (id) DO NOTHING",
    ],
};
