use super::{Harness, Law, Payload, Report, laws};
use crate::Store;

/// Checks all laws, one after the other, also after one was broken.
///
/// # Panics
/// If the harness's own callbacks do, or a future given to its spawner is dropped unfinished.
pub async fn run_all<S: Store<Payload>>(harness: &Harness<S>) -> Report {
    let findings = [
        laws::law_01_get_answers_the_last_set(harness).await,
        laws::law_02_no_session_is_none_and_no_error(harness).await,
        laws::law_03_sets_keep_to_what_they_expect(harness).await,
        laws::law_04_what_ended_stays_ended(harness).await,
        laws::law_05_touch_and_rotate_change_no_data(harness).await,
        laws::law_06_rotate_leaves_one_live_key(harness).await,
        laws::law_07_acknowledged_writes_survive(harness).await,
        laws::law_08_expired_records_leave(harness).await,
        laws::law_09_listings_show_exactly_the_live(harness).await,
        laws::law_10_trouble_is_unavailable(harness).await,
        laws::law_11_an_undecodable_record_harms_itself_only(harness).await,
        laws::law_12_too_large_writes_nothing(harness).await,
        laws::law_13_clocks_and_dates_change_nothing(harness).await,
        laws::law_14_no_owner_exceeds_the_limit(harness).await,
        laws::law_15_who_finds_it_dead_finds_the_trail(harness).await,
    ];
    Report::new(Law::ALL.into_iter().zip(findings).collect())
}
