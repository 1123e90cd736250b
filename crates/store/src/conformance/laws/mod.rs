//! One file per law.

mod law_01;
mod law_02;
mod law_03;
mod law_04;
mod law_05;
mod law_06;
mod law_07;
mod law_08;
mod law_09;
mod law_10;
mod law_11;
mod law_12;
mod law_13;
mod law_14;
mod law_15;

pub use law_01::law_01_get_answers_the_last_set;
pub use law_02::law_02_no_session_is_none_and_no_error;
pub use law_03::law_03_sets_keep_to_what_they_expect;
pub use law_04::law_04_what_ended_stays_ended;
pub use law_05::law_05_touch_and_rotate_change_no_data;
pub use law_06::law_06_rotate_leaves_one_live_key;
pub use law_07::law_07_acknowledged_writes_survive;
pub use law_08::law_08_expired_records_leave;
pub use law_09::law_09_listings_show_exactly_the_live;
pub use law_10::law_10_trouble_is_unavailable;
pub use law_11::law_11_an_undecodable_record_harms_itself_only;
pub use law_12::law_12_too_large_writes_nothing;
pub use law_13::law_13_clocks_and_dates_change_nothing;
pub use law_14::law_14_no_owner_exceeds_the_limit;
pub use law_15::law_15_who_finds_it_dead_finds_the_trail;

const NO_LISTING: &str = "the store does not enumerate";
const NO_PEER: &str = "the harness has no second instance (`peer`)";
