//! What every engine must do, written once. Each law gets a table of its own, so that they can share a server.

mod concurrency;
mod encrypting;
mod enumerating;
mod limits;
mod one_session;
mod renewing;
mod rows;

use std::sync::Arc;
use std::time::Duration;

use cloakroom_sqlx::{DbStore, DbStoreBuilder, Dialect, TableName};
use cloakroom_store::{
    Expect, ManualClock, Owner, Record, SessionKey, SetOutcome, Store, Times, Timestamp,
};
use sqlx::Pool;

pub(crate) type Data = Vec<String>;

/// An engine to try the laws on.
pub(crate) trait Bench: Sized + Send + Sync + 'static {
    type Db: Dialect;

    /// A pool for a test of its own.
    fn pool(&self) -> impl Future<Output = Pool<Self::Db>> + Send;

    /// Other options than the laws need.
    fn adjust(builder: DbStoreBuilder<Data, Self::Db>) -> DbStoreBuilder<Data, Self::Db> {
        builder
    }

    /// Runs any statement, as an administrator would.
    fn execute(pool: &Pool<Self::Db>, sql: String) -> impl Future<Output = ()> + Send;
}

pub(crate) struct Case<B: Bench> {
    pub(crate) pool: Pool<B::Db>,
    pub(crate) table: TableName,
    pub(crate) clock: ManualClock,
    pub(crate) store: DbStore<Data, B::Db>,
}

impl<B: Bench> Case<B> {
    pub(crate) async fn new(bench: &B, name: &str) -> Self {
        let pool = bench.pool().await;
        let table = &name[..name.len().min(TableName::MAX_BYTES)];
        let table: TableName = table.parse().unwrap();
        let clock = ManualClock::starting_now();
        let store = Self::build(&pool, &table, &clock).create().await.unwrap();
        Self {
            pool,
            table,
            clock,
            store,
        }
    }

    pub(crate) fn build(
        pool: &Pool<B::Db>,
        table: &TableName,
        clock: &ManualClock,
    ) -> DbStoreBuilder<Data, B::Db> {
        let builder = DbStore::builder(pool.clone())
            .table(table.clone())
            .clock(clock.clone())
            .without_purge_task();
        B::adjust(builder)
    }

    pub(crate) fn builder(&self) -> DbStoreBuilder<Data, B::Db> {
        Self::build(&self.pool, &self.table, &self.clock)
    }

    /// `{table}` stands for the table.
    pub(crate) async fn execute(&self, sql: &str) {
        B::execute(&self.pool, sql.replace("{table}", self.table.as_str())).await;
    }

    /// A record that never ends by itself.
    pub(crate) fn record(&self, word: &str) -> Record<Data> {
        use cloakroom_store::Clock;
        record(word, Times::starting(self.clock.now()))
    }

    /// A record that ends in so many seconds.
    pub(crate) fn ending_in(&self, word: &str, seconds: u64) -> Record<Data> {
        use cloakroom_store::Clock;
        let mut record = self.record(word);
        record.times.ends_at = Some(self.clock.now().plus(Duration::from_secs(seconds)));
        record
    }

    pub(crate) async fn add(&self, key: &SessionKey, record: Record<Data>) {
        let outcome = self.store.set(key, record, Expect::Absent).await.unwrap();
        assert_eq!(outcome, SetOutcome::Stored(1));
    }

    pub(crate) async fn word(&self, key: &SessionKey) -> Option<String> {
        let record = self.store.get(key).await.unwrap()?;
        Some(record.data[0].clone())
    }
}

pub(crate) fn record(word: &str, times: Times) -> Record<Data> {
    Record::new(Arc::new(vec![word.to_owned()]), times)
}

pub(crate) fn key(number: u32) -> SessionKey {
    let mut bytes = [0xAB; 32];
    bytes[..4].copy_from_slice(&number.to_be_bytes());
    SessionKey::from_bytes(bytes)
}

pub(crate) fn owner(name: &str) -> Owner {
    Owner::new(name).unwrap()
}

pub(crate) fn millis(at: i64) -> Timestamp {
    Timestamp::from_millis(at)
}

macro_rules! run_all {
    ($bench:ident: $($module:ident::$law:ident,)*) => {{
        $(
            eprintln!("law: {}", stringify!($law));
            let case = Case::new(&*$bench, stringify!($law)).await;
            tokio::spawn($module::$law(case)).await.expect(stringify!($law));
        )*
    }};
}

/// Runs every law, one after the other.
pub(crate) async fn all<B: Bench>(bench: Arc<B>) {
    run_all!(bench:
        one_session::stored_is_got_back_whole,
        one_session::expectations_hold,
        one_session::ended_stays_ended,
        one_session::an_expired_row_is_as_good_as_none,
        one_session::the_end_itself_is_over,
        one_session::touch_moves_the_expiry_and_nothing_else,
        one_session::touch_follows_the_rows_own_idle_timeout,
        one_session::rotate_moves,
        one_session::rotate_onto_a_taken_key_moves_nothing,
        one_session::rotate_onto_an_expired_row,
        one_session::replace_makes_a_new_session,
        one_session::far_dates_and_a_clock_that_steps_back,
        one_session::too_large_is_refused_before_anything_is_written,
        one_session::large_payloads,
        concurrency::one_of_64_creates_wins,
        concurrency::one_of_64_compare_and_sets_wins,
        concurrency::counting_to_64_loses_none,
        concurrency::one_of_many_rotations_wins,
        concurrency::destroy_beats_every_verb,
        concurrency::end_all_finds_what_moves,
        concurrency::purge_spares_the_refreshed,
        concurrency::many_purge_together,
        concurrency::what_expires_while_a_write_waits_stays_ended,
        concurrency::create_from_20_instances_at_once,
        enumerating::visit_shows_each_once,
        enumerating::count_and_clear,
        enumerating::purge_removes_what_expired,
        enumerating::purge_follows_the_expiry,
        enumerating::owners_are_told_apart_by_case,
        enumerating::lists_are_oldest_first,
        enumerating::destroy_by_owner_spares_one,
        limits::the_oldest_end_when_the_limit_is_reached,
        limits::who_is_refused_changes_nothing,
        limits::a_taken_key_changes_nothing,
        limits::nobodys_sessions_have_no_limit,
        limits::of_64_sign_ins_as_many_as_allowed_are_stored,
        limits::many_owners_sign_in_at_once,
        limits::limits_hold_while_sessions_move,
        limits::sign_ins_beside_end_all_are_ended_or_listed,
        renewing::renew_moves_and_leaves_a_trail,
        renewing::unless_it_moved_no_trail_is_left,
        renewing::a_later_trail_replaces_an_earlier_one,
        renewing::trails_leave,
        renewing::whoever_finds_it_dead_finds_the_trail,
        rows::an_undecodable_row_harms_itself_only,
        rows::a_malformed_column_harms_its_row_only,
        rows::the_row_as_stored,
        rows::no_secret_in_errors_nor_debug,
        rows::a_schema_of_another_version_is_refused,
        rows::a_missing_table_is_not_a_logout,
        rows::codecs_can_be_switched,
        encrypting::an_encrypted_row_shows_nothing_of_the_data,
        encrypting::encryption_can_be_switched_on_and_off,
        encrypting::keys_can_be_changed,
        encrypting::an_altered_row_harms_itself_only,
        encrypting::the_limit_counts_before_encryption,
    );
}
