//! Every statement that a store runs, built once. They are those of `SqliteStore` in `cloakroom-sqlx`, so that the
//! two can take turns on one file.

use crate::TableName;
use crate::statement::Statement;

/// The statements of one store.
#[derive(Debug)]
pub(crate) struct Statements {
    pub(crate) get: Statement,
    pub(crate) row: Statement,
    pub(crate) version_of: Statement,
    pub(crate) standing: Statement,
    pub(crate) insert: Statement,
    pub(crate) update: Statement,
    pub(crate) update_same_owner: Statement,
    pub(crate) update_same_owner_and_end: Statement,
    pub(crate) touch: Statement,
    pub(crate) rotate: Statement,
    pub(crate) replace: Statement,
    pub(crate) free: Statement,
    pub(crate) destroy: Statement,
    pub(crate) page: Statement,
    pub(crate) count: Statement,
    pub(crate) clear: Statement,
    pub(crate) purge: Statement,
    pub(crate) list_by_owner: Statement,
    pub(crate) destroy_by_owner: Statement,
    pub(crate) others: Statement,
    pub(crate) end: Statement,
    pub(crate) leave_trail: Statement,
    pub(crate) follow: Statement,
    pub(crate) purge_trails: Statement,
    pub(crate) clear_trails: Statement,
}

/// In the order in which [`crate::session::View`] reads them.
const COLUMNS: &str = "session_key, version, created_at, authenticated_at, renewed_at, last_seen_at, \
    ends_at, idle_timeout_ms, expires_at, browser_session, owner, user_agent, address, codec, data";

/// The columns of an insert, and their values.
const INSERT_COLUMNS: &str = "session_key, handle, version, created_at, authenticated_at, renewed_at, \
    last_seen_at, ends_at, idle_timeout_ms, expires_at, browser_session, owner, user_agent, address, codec, data";
const INSERT_VALUES: &str = ":to, :handle, 1, :created_at, :authenticated_at, :renewed_at, \
    :last_seen_at, :ends_at, :idle_timeout_ms, :expires_at, :browser_session, :owner, :user_agent, :address, :codec, :data";

const LIVE: &str = "(expires_at IS NULL OR expires_at > :now)";

/// The owner's other live sessions, when one takes the place of another.
const OTHERS: &str = "owner = :owner AND {live} AND session_key <> :key AND session_key <> :to";

const TIMES: &str = "created_at = :created_at, authenticated_at = :authenticated_at, renewed_at = :renewed_at, \
    last_seen_at = :last_seen_at, ends_at = :ends_at, idle_timeout_ms = :idle_timeout_ms, expires_at = :expires_at";

const CONTENT: &str = "browser_session = :browser_session, owner = :owner, user_agent = :user_agent, \
    address = :address, codec = :codec, data = :data";

/// What no index is about: an index costs as much as the row, even if its columns get the value that they have.
const UNINDEXED: &str = "authenticated_at = :authenticated_at, renewed_at = :renewed_at, \
    last_seen_at = :last_seen_at, ends_at = :ends_at, idle_timeout_ms = :idle_timeout_ms, \
    browser_session = :browser_session, user_agent = :user_agent, address = :address, codec = :codec, data = :data";

/// `Times::expires_at` in SQL. Computed from the row, not from what the caller read before: another request
/// may have given the session another idle time-out since. No sum overflows.
const EXPIRY: &str = "CASE WHEN idle_timeout_ms IS NULL THEN ends_at \
    WHEN :last_seen_at > 9223372036854775807 - idle_timeout_ms THEN COALESCE(ends_at, 9223372036854775807) \
    WHEN ends_at IS NOT NULL AND ends_at < :last_seen_at + idle_timeout_ms THEN ends_at \
    ELSE :last_seen_at + idle_timeout_ms END";

impl Statements {
    pub(crate) fn of(table: &TableName) -> Self {
        let build = |template: &str| Statement::compile(&fill(template, table));
        Self {
            get: build("SELECT {columns} FROM {table} WHERE session_key = :key AND {live}"),
            row: build("SELECT {columns} FROM {table} WHERE session_key = :key"),
            version_of: build("SELECT version FROM {table} WHERE session_key = :key AND {live}"),
            insert: build(
                "INSERT INTO {table} ({insert_columns}) VALUES ({insert_values}) \
                 ON CONFLICT (session_key) DO UPDATE SET version = 1, {times}, {content} \
                 WHERE {table}.expires_at <= :now",
            ),
            standing: build(
                "SELECT version, owner IS :owner AND created_at = :created_at, expires_at IS :expires_at \
                 FROM {table} WHERE session_key = :key AND {live}",
            ),
            update: build(
                "UPDATE {table} SET version = version + 1, owner = :owner, created_at = :created_at, \
                 expires_at = :expires_at, {unindexed} WHERE session_key = :key",
            ),
            update_same_owner: build(
                "UPDATE {table} SET version = version + 1, expires_at = :expires_at, {unindexed} \
                 WHERE session_key = :key",
            ),
            update_same_owner_and_end: build(
                "UPDATE {table} SET version = version + 1, {unindexed} WHERE session_key = :key",
            ),
            touch: build(
                "UPDATE {table} SET expires_at = {expiry}, last_seen_at = :last_seen_at \
                 WHERE session_key = :key AND {live}",
            ),
            rotate: build(
                "UPDATE {table} SET session_key = :to, handle = :handle, {times} \
                 WHERE session_key = :key AND {live} RETURNING version",
            ),
            replace: build(
                "UPDATE {table} SET session_key = :to, handle = :handle, version = 1, {times}, {content} \
                 WHERE session_key = :key",
            ),
            free: build("DELETE FROM {table} WHERE session_key = :to AND expires_at <= :now"),
            destroy: build("DELETE FROM {table} WHERE session_key = :key AND {live}"),
            page: build(
                "SELECT {columns} FROM {table} WHERE session_key > :after AND {live} \
                 ORDER BY session_key LIMIT :limit",
            ),
            count: build("SELECT COUNT(*) FROM {table} WHERE {live}"),
            clear: build(
                "DELETE FROM {table} WHERE session_key IN \
                 (SELECT session_key FROM {table} WHERE {live} LIMIT :limit)",
            ),
            purge: build(
                "DELETE FROM {table} WHERE session_key IN \
                 (SELECT session_key FROM {table} WHERE expires_at <= :now ORDER BY expires_at LIMIT :limit)",
            ),
            list_by_owner: build(
                "SELECT {columns} FROM {table} WHERE owner = :owner AND {live} \
                 ORDER BY created_at, session_key",
            ),
            destroy_by_owner: build(
                "DELETE FROM {table} WHERE owner = :owner AND instr(:except, session_key) = 0 AND {live}",
            ),
            others: build(
                "SELECT session_key FROM {table} WHERE {others} ORDER BY created_at, session_key",
            ),
            end: build("DELETE FROM {table} WHERE session_key = :key"),
            leave_trail: build(
                "INSERT INTO {table}_trails (session_key, moved_to, moved_at, ends_at) \
                 VALUES (:key, :to, :renewed_at, :trail_ends_at) \
                 ON CONFLICT (session_key) DO UPDATE SET moved_to = excluded.moved_to, \
                 moved_at = excluded.moved_at, ends_at = excluded.ends_at",
            ),
            follow: build(
                "SELECT moved_to, moved_at FROM {table}_trails \
                 WHERE session_key = :key AND ends_at > :now",
            ),
            purge_trails: build(
                "DELETE FROM {table}_trails WHERE session_key IN \
                 (SELECT session_key FROM {table}_trails WHERE ends_at <= :now ORDER BY ends_at LIMIT :limit)",
            ),
            clear_trails: build(
                "DELETE FROM {table}_trails WHERE session_key IN \
                 (SELECT session_key FROM {table}_trails LIMIT :limit)",
            ),
        }
    }
}

/// Fills in everything but the parameters.
pub(crate) fn fill(template: &str, table: &TableName) -> String {
    template
        .replace("{columns}", COLUMNS)
        .replace("{insert_columns}", INSERT_COLUMNS)
        .replace("{insert_values}", INSERT_VALUES)
        .replace("{times}", TIMES)
        .replace("{content}", CONTENT)
        .replace("{unindexed}", UNINDEXED)
        .replace("{expiry}", EXPIRY)
        .replace("{others}", OTHERS)
        .replace("{live}", LIVE)
        .replace("{table}", table.as_str())
}
