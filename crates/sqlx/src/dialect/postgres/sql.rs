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
    // An update that changes no indexed column is cheaper, leaves the indexes alone and writes half as much log (HOT).
    // So `expires_at` has no index. `purge_at` has one, is never later, and stays when the expiry moves away: whoever
    // purges looks at the row then, and only there it is moved. One statement, so that what is looked at is either
    // removed or moved. It answers how many were removed, and looked at. A row that another instance is purging is
    // skipped; one that was refreshed meanwhile is looked at again by the conditions.
    purge: "WITH due AS (SELECT session_key FROM {table} WHERE purge_at <= :now ORDER BY purge_at LIMIT :limit \
            FOR UPDATE SKIP LOCKED), \
        postponed AS (UPDATE {table} SET purge_at = expires_at FROM due \
            WHERE {table}.session_key = due.session_key AND {live}), \
        removed AS (DELETE FROM {table} USING due \
            WHERE {table}.session_key = due.session_key AND expires_at <= :now RETURNING 1) \
        SELECT (SELECT COUNT(*) FROM removed), (SELECT COUNT(*) FROM due)",
    postpone: None,
    purge_column: ", purge_at",
    purge_value: ", :expires_at",
    // Not null if one of them is not.
    purge_assignment: ", purge_at = LEAST({table}.purge_at, {at})",
    // The lock is to be had from a server that takes no writes, and who is refused writes nothing: so that a former primary
    // refuses nobody because of what it remembers, it is asked. On a standby the setting is always on.
    // The server does not notice that the caller went away while it waits. So it is told how long, before it does:
    // columns are computed in their order.
    lock_owner: Some(OwnerLock {
        statement: "SELECT set_config('lock_timeout', CASE current_setting('lock_timeout') \
                WHEN '0' THEN :lock_timeout ELSE current_setting('lock_timeout') END, TRUE), \
            CASE WHEN current_setting('transaction_read_only') = 'on' THEN CAST(1 AS BIGINT) END, \
            pg_advisory_xact_lock(:lock)",
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
            data BYTEA NOT NULL,
            purge_at BIGINT
        )",
        "CREATE INDEX IF NOT EXISTS {table}_purge ON {table} (purge_at) WHERE purge_at IS NOT NULL",
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
