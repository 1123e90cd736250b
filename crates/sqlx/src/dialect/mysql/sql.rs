use crate::schema::LOCKS;
use crate::statements::{Dialectal, OwnerLock};

/// MySQL's `UPDATE` returns no rows. `LAST_INSERT_ID(…)` puts a number into its answer instead.
///
/// Assignments are made from left to right and see those before them, so `expires_at`, which conditions look
/// at, comes last in an insert's `ON DUPLICATE KEY UPDATE`.
pub(super) const DIALECTAL: Dialectal = Dialectal {
    // The server describes each column of each answer anew, and the driver reads that each time: more work than the
    // row itself. So all that is short comes as one text, which `row.rs` reads.
    columns: "session_key, CONCAT_WS(' ', version, created_at, IFNULL(authenticated_at, '-'), renewed_at, \
        last_seen_at, IFNULL(ends_at, '-'), IFNULL(idle_timeout_ms, '-'), IFNULL(expires_at, '-'), browser_session, \
        IFNULL(HEX(owner), '-'), IFNULL(HEX(user_agent), '-'), IFNULL(HEX(address), '-'), HEX(codec)) AS head, data",
    next_version: "LAST_INSERT_ID(version + 1)",
    same_version: "LAST_INSERT_ID(version)",
    returning_version: "",
    // Answers 2 if a live row is there. Otherwise 1 (a dead one was overwritten) or nothing (inserted).
    insert: "INSERT INTO {table} ({insert_columns}) VALUES ({insert_values}) \
        ON DUPLICATE KEY UPDATE \
        version = IF(expires_at <= :now, LAST_INSERT_ID(1), version + 0 * LAST_INSERT_ID(2)), \
        created_at = IF(expires_at <= :now, VALUES(created_at), created_at), \
        authenticated_at = IF(expires_at <= :now, VALUES(authenticated_at), authenticated_at), \
        renewed_at = IF(expires_at <= :now, VALUES(renewed_at), renewed_at), \
        last_seen_at = IF(expires_at <= :now, VALUES(last_seen_at), last_seen_at), \
        ends_at = IF(expires_at <= :now, VALUES(ends_at), ends_at), \
        idle_timeout_ms = IF(expires_at <= :now, VALUES(idle_timeout_ms), idle_timeout_ms), \
        browser_session = IF(expires_at <= :now, VALUES(browser_session), browser_session), \
        owner = IF(expires_at <= :now, VALUES(owner), owner), \
        user_agent = IF(expires_at <= :now, VALUES(user_agent), user_agent), \
        address = IF(expires_at <= :now, VALUES(address), address), \
        codec = IF(expires_at <= :now, VALUES(codec), codec), \
        data = IF(expires_at <= :now, VALUES(data), data), \
        purge_at = IF(expires_at <= :now, VALUES(purge_at), purge_at), \
        expires_at = IF(expires_at <= :now, VALUES(expires_at), expires_at)",
    // A `DELETE` cannot say whether the row was live, so that is its condition.
    destroy: "DELETE FROM {table} WHERE session_key = :key AND {live}",
    // Only what is dead: a session may have been stored under this key between the two statements.
    destroy_dead: Some("DELETE FROM {table} WHERE session_key = :key AND expires_at <= :now"),
    // For the next statement only. Below this level a row that moves from ahead of the scan to behind it is missed;
    // at this one the scan locks what it has passed.
    find_all: Some("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"),
    clear: "DELETE FROM {table} WHERE {live} LIMIT :limit",
    // `expires_at` has no index: an update that changes an indexed column marks its entry as deleted and makes another
    // one. `purge_at` has one, is never later, and stays when the expiry moves away: whoever purges looks at the row
    // then, and only there it is moved. Of the rows that are due each of the two statements looks at a batch.
    purge: "DELETE {table} FROM {table} JOIN (SELECT session_key AS due FROM {table} WHERE purge_at <= :now \
        ORDER BY purge_at LIMIT :limit FOR UPDATE) AS batch ON session_key = due WHERE expires_at <= :now",
    postpone: Some(
        "UPDATE {table} JOIN (SELECT session_key AS due FROM {table} WHERE purge_at <= :now \
        ORDER BY purge_at LIMIT :limit FOR UPDATE) AS batch ON session_key = due SET purge_at = expires_at WHERE {live}",
    ),
    purge_column: ", purge_at",
    purge_value: ", :expires_at",
    // Null only where the expiry is.
    purge_assignment: ", purge_at = LEAST(COALESCE({table}.purge_at, 9223372036854775807), {at})",
    // A row lock, held until the transaction ends: unlike `GET_LOCK` it needs no connection of its own, and it is
    // known to a proxy. A server that takes no writes refuses it.
    lock_owner: Some(OwnerLock {
        statement: "SELECT id FROM {table}_locks WHERE id = :lock FOR UPDATE",
        mask: LOCKS as i64,
    }),
    renew: None,
    on_taken_trail: "ON DUPLICATE KEY UPDATE moved_to = VALUES(moved_to), moved_at = VALUES(moved_at), \
        ends_at = VALUES(ends_at)",
    purge_trails: "DELETE FROM {table}_trails WHERE ends_at <= :now ORDER BY ends_at LIMIT :limit",
    clear_trails: "DELETE FROM {table}_trails LIMIT :limit",
    except: "LOCATE(session_key, :except)",
    returning_key: "",
    tell: None,
    row_as_text: "",
    from_as_text: "",
    // `VARBINARY`: owners are compared byte by byte, whatever the database's collation.
    schema: &[
        "CREATE TABLE IF NOT EXISTS {table} (
            session_key BINARY(32) NOT NULL PRIMARY KEY,
            handle CHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
            version BIGINT NOT NULL,
            created_at BIGINT NOT NULL,
            authenticated_at BIGINT,
            renewed_at BIGINT NOT NULL,
            last_seen_at BIGINT NOT NULL,
            ends_at BIGINT,
            idle_timeout_ms BIGINT,
            expires_at BIGINT,
            browser_session BIGINT NOT NULL,
            owner VARBINARY(255),
            user_agent VARBINARY(256),
            address VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin,
            codec VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
            data LONGBLOB NOT NULL,
            purge_at BIGINT,
            INDEX {table}_purge (purge_at),
            INDEX {table}_owner (owner, created_at)
        ) ENGINE = InnoDB ROW_FORMAT = DYNAMIC",
        "CREATE TABLE IF NOT EXISTS {table}_trails (
            session_key BINARY(32) NOT NULL PRIMARY KEY,
            moved_to BINARY(32) NOT NULL,
            moved_at BIGINT NOT NULL,
            ends_at BIGINT NOT NULL,
            INDEX {table}_trails_end (ends_at)
        ) ENGINE = InnoDB ROW_FORMAT = DYNAMIC",
        "CREATE TABLE IF NOT EXISTS {table}_locks (
            id BIGINT NOT NULL PRIMARY KEY
        ) ENGINE = InnoDB",
        "INSERT IGNORE INTO {table}_locks (id) VALUES {locks}",
        "CREATE TABLE IF NOT EXISTS {table}_schema (
            id BIGINT NOT NULL PRIMARY KEY, version BIGINT NOT NULL
        ) ENGINE = InnoDB",
        "INSERT IGNORE INTO {table}_schema (id, version) VALUES (1, {schema_version})",
    ],
};
