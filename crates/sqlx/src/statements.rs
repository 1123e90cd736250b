//! Every statement that a store sends, built once. What differs between engines comes from their `sql.rs`.

use crate::TableName;
use crate::dialect::Engine;
use crate::statement::Statement;

/// What the engines do not agree on.
#[derive(Debug)]
pub struct Dialectal {
    /// A whole row, the key first, as [`Engine::stored`] reads it.
    pub columns: &'static str,
    /// The version after a write, and where it is kept for the answer.
    pub next_version: &'static str,
    /// The version as it is, kept for the answer.
    pub same_version: &'static str,
    /// How a write answers the version, if not otherwise.
    pub returning_version: &'static str,
    /// Inserts, or overwrites an expired row; leaves a live one alone.
    pub insert: &'static str,
    /// Removes one row.
    pub destroy: &'static str,
    /// Removes a row that `destroy` did not, where that one cannot say whether it was live.
    pub destroy_dead: Option<&'static str>,
    /// Sent before a statement that must find every row, those too that move to another key meanwhile.
    pub find_all: Option<&'static str>,
    /// Removes some live rows.
    pub clear: &'static str,
    /// Removes some expired rows.
    pub purge: &'static str,
    /// Moves `purge_at` of some rows that are not expired, where `purge` does not do it. Sent before that.
    pub postpone: Option<&'static str>,
    /// The column by which `purge` finds them, where that is not `expires_at`: its name, and what it is after a write
    /// that makes `{at}` the expiry. Both with the comma that goes before.
    pub purge_column: &'static str,
    pub purge_value: &'static str,
    pub purge_assignment: &'static str,
    /// Lets one at a time decide how many sessions an owner has, until the transaction ends. `None` where there
    /// is one writer at a time anyhow.
    pub lock_owner: Option<OwnerLock>,
    /// Moves a row and leaves a trail, where that is possible in one statement. Otherwise it takes a transaction of
    /// `rotate` and `leave_trail`.
    pub renew: Option<&'static str>,
    /// What an `INSERT` does where that key is there already: the start of a list of assignments.
    pub on_taken_trail: &'static str,
    /// Removes some trails that are over.
    pub purge_trails: &'static str,
    /// Removes some trails.
    pub clear_trails: &'static str,
    /// Where the row's key is among those that are spared, one after the other; 0 if it is not.
    pub except: &'static str,
    /// How the keys of removed rows are answered, if they are.
    pub returning_key: &'static str,
    /// Tells listeners of `{payload}`, as an expression in a list of what a statement returns.
    pub tell: Option<&'static str>,
    /// A key as text, for listeners: that of the row, and the parameter.
    pub row_as_text: &'static str,
    pub from_as_text: &'static str,
    /// The table, its indexes, and the table with the version of the schema.
    pub schema: &'static [&'static str],
}

/// How an owner is locked.
#[derive(Debug)]
pub struct OwnerLock {
    /// The statement, which takes the number of a lock. It answers a row; with 1 in a second column where the server
    /// takes no writes and does not say so otherwise.
    pub statement: &'static str,
    /// Which bits of the number it takes.
    pub mask: i64,
}

/// The statements of one store.
#[derive(Debug)]
pub(crate) struct Statements {
    pub(crate) get: Statement,
    pub(crate) row: Statement,
    pub(crate) version_of: Statement,
    pub(crate) insert: Statement,
    pub(crate) update_any: Statement,
    pub(crate) update_version: Statement,
    pub(crate) touch: Statement,
    pub(crate) rotate: Statement,
    pub(crate) replace: Statement,
    pub(crate) free: Statement,
    pub(crate) destroy: Statement,
    pub(crate) destroy_dead: Option<Statement>,
    pub(crate) page: Statement,
    pub(crate) count: Statement,
    pub(crate) clear: Statement,
    pub(crate) clear_rest: Statement,
    pub(crate) purge: Statement,
    pub(crate) postpone: Option<Statement>,
    pub(crate) list_by_owner: Statement,
    pub(crate) destroy_by_owner: Statement,
    pub(crate) lock_owner: Option<Statement>,
    pub(crate) others: Statement,
    pub(crate) evict: Statement,
    pub(crate) end: Statement,
    pub(crate) renew: Option<Statement>,
    pub(crate) leave_trail: Statement,
    pub(crate) follow: Statement,
    pub(crate) purge_trails: Statement,
    pub(crate) clear_trails: Statement,
}

/// In the order in which [`crate::DbStoreSession`] reads them.
// MySQL asks otherwise.
#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub(crate) const COLUMNS: &str = "session_key, version, created_at, authenticated_at, renewed_at, last_seen_at, \
    ends_at, idle_timeout_ms, expires_at, browser_session, owner, user_agent, address, codec, data";

/// The columns of an insert, and their values.
const INSERT_COLUMNS: &str = "session_key, handle, version, created_at, authenticated_at, renewed_at, \
    last_seen_at, ends_at, idle_timeout_ms, expires_at, browser_session, owner, user_agent, address, codec, data{and_purge_column}";
const INSERT_VALUES: &str = ":to, :handle, 1, :created_at, :authenticated_at, :renewed_at, \
    :last_seen_at, :ends_at, :idle_timeout_ms, :expires_at, :browser_session, :owner, :user_agent, :address, :codec, :data{and_purge_value}";

const LIVE: &str = "(expires_at IS NULL OR expires_at > :now)";

/// The owner's other live sessions, when one takes the place of another.
const OTHERS: &str = "owner = :owner AND {live} AND session_key <> :key AND session_key <> :to";

const TIMES: &str = "created_at = :created_at, authenticated_at = :authenticated_at, renewed_at = :renewed_at, \
    last_seen_at = :last_seen_at, ends_at = :ends_at, idle_timeout_ms = :idle_timeout_ms, \
    expires_at = :expires_at{and_purge}";

const CONTENT: &str = "browser_session = :browser_session, owner = :owner, user_agent = :user_agent, \
    address = :address, codec = :codec, data = :data";

/// `Times::expires_at` in SQL. Computed from the row, not from what the caller read before: another request
/// may have given the session another idle time-out since. No sum overflows.
const EXPIRY: &str = "CASE WHEN idle_timeout_ms IS NULL THEN ends_at \
    WHEN :last_seen_at > 9223372036854775807 - idle_timeout_ms THEN COALESCE(ends_at, 9223372036854775807) \
    WHEN ends_at IS NOT NULL AND ends_at < :last_seen_at + idle_timeout_ms THEN ends_at \
    ELSE :last_seen_at + idle_timeout_ms END";

impl Statements {
    /// With `announces`, what ends a session tells listeners so.
    pub(crate) fn of<DB: Engine>(table: &TableName, announces: bool) -> Self {
        let sql = DB::DIALECTAL;
        let tell = sql.tell.filter(|_| announces);
        let build = |template: &str| {
            let template = fill(&tell_in(template, sql, tell), sql, table);
            Statement::compile(&template, DB::PLACEHOLDERS)
        };
        Self {
            get: build("SELECT {columns} FROM {table} WHERE session_key = :key AND {live}"),
            row: build("SELECT {columns} FROM {table} WHERE session_key = :key"),
            version_of: build("SELECT version FROM {table} WHERE session_key = :key AND {live}"),
            insert: build(sql.insert),
            update_any: build(
                "UPDATE {table} SET version = {next_version}, {times}, {content} \
                 WHERE session_key = :key AND {live}{returning_version}",
            ),
            // Who knows the version before knows the one after: to answer it costs a server a twentieth of an `UPDATE`.
            update_version: build(
                "UPDATE {table} SET version = version + 1, {times}, {content} \
                 WHERE session_key = :key AND version = :version AND {live}",
            ),
            touch: build(
                "UPDATE {table} SET expires_at = {expiry}, last_seen_at = :last_seen_at{and_purge_touched} \
                 WHERE session_key = :key AND {live}",
            ),
            rotate: build(
                "UPDATE {table} SET session_key = :to, handle = :handle, version = {same_version}, {times} \
                 WHERE session_key = :key AND {live}{returning_version}{and_tell_from}",
            ),
            replace: build(
                "UPDATE {table} SET session_key = :to, handle = :handle, version = 1, {times}, {content} \
                 WHERE session_key = :key{returning_tell_from}",
            ),
            free: build("DELETE FROM {table} WHERE session_key = :to AND expires_at <= :now"),
            destroy: build(sql.destroy),
            destroy_dead: sql.destroy_dead.map(build),
            page: build(
                "SELECT {columns} FROM {table} WHERE session_key > :after AND {live} \
                 ORDER BY session_key LIMIT :limit",
            ),
            count: build("SELECT COUNT(*) FROM {table} WHERE {live}"),
            clear: build(sql.clear).after(sql.find_all),
            // No limit, so no key is looked up: PostgreSQL, which waits for a row that is moving to another key, goes
            // on with the row and not with the key that it had.
            clear_rest: build("DELETE FROM {table} WHERE {live}{returning_tell_all}")
                .after(sql.find_all),
            purge: build(sql.purge),
            postpone: sql.postpone.map(build),
            list_by_owner: build(
                "SELECT {columns} FROM {table} WHERE owner = :owner AND {live} \
                 ORDER BY created_at, session_key",
            ),
            destroy_by_owner: build(
                "DELETE FROM {table} WHERE owner = :owner AND {except} = 0 AND {live}{returning_tell_row}",
            )
            .after(sql.find_all),
            lock_owner: sql.lock_owner.as_ref().map(|lock| build(lock.statement)),
            others: build(
                "SELECT session_key, created_at FROM {table} WHERE {others} \
                 ORDER BY created_at, session_key",
            ),
            evict: build(
                "DELETE FROM {table} WHERE {others} AND (created_at < :created_at \
                 OR (created_at = :created_at AND session_key <= :after)){returning_key}{and_tell_row}",
            ),
            end: build("DELETE FROM {table} WHERE session_key = :key{returning_tell_row}"),
            renew: sql.renew.map(build),
            leave_trail: build(
                "INSERT INTO {table}_trails (session_key, moved_to, moved_at, ends_at) \
                 VALUES (:key, :to, :renewed_at, :trail_ends_at) {on_taken_trail}",
            ),
            follow: build(
                "SELECT moved_to, moved_at FROM {table}_trails \
                 WHERE session_key = :key AND ends_at > :now",
            ),
            purge_trails: build(sql.purge_trails),
            clear_trails: build(sql.clear_trails),
        }
    }
}

/// Where a statement tells listeners: of the row that it removes, of the key that a row moved from, or that any
/// session may have ended.
fn tell_in(template: &str, sql: &Dialectal, tell: Option<&str>) -> String {
    let payloads = [
        ("tell_row", sql.row_as_text),
        ("tell_from", sql.from_as_text),
        ("tell_all", "''"),
    ];
    payloads
        .into_iter()
        .fold(template.to_owned(), |template, (name, payload)| {
            let with = |before: &str| match tell {
                Some(tell) => before.to_owned() + &tell.replace("{payload}", payload),
                None => String::new(),
            };
            template
                .replace(&format!("{{and_{name}}}"), &with(", "))
                .replace(&format!("{{returning_{name}}}"), &with(" RETURNING "))
        })
}

/// Fills in everything but the parameters.
pub(crate) fn fill(template: &str, sql: &Dialectal, table: &TableName) -> String {
    template
        .replace("{columns}", sql.columns)
        .replace("{insert_columns}", INSERT_COLUMNS)
        .replace("{insert_values}", INSERT_VALUES)
        .replace("{times}", TIMES)
        .replace("{content}", CONTENT)
        .replace(
            "{and_purge}",
            &sql.purge_assignment.replace("{at}", ":expires_at"),
        )
        .replace(
            "{and_purge_touched}",
            &sql.purge_assignment.replace("{at}", "{expiry}"),
        )
        .replace("{and_purge_column}", sql.purge_column)
        .replace("{and_purge_value}", sql.purge_value)
        .replace("{expiry}", EXPIRY)
        .replace("{others}", OTHERS)
        .replace("{on_taken_trail}", sql.on_taken_trail)
        .replace("{except}", sql.except)
        .replace("{returning_key}", sql.returning_key)
        .replace("{live}", LIVE)
        .replace("{next_version}", sql.next_version)
        .replace("{same_version}", sql.same_version)
        .replace("{returning_version}", sql.returning_version)
        .replace("{table}", table.as_str())
}
