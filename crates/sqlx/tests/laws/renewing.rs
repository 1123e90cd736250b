use cloakroom_store::{Clock, Enumerate, Renewal, RotateOutcome, Trail};
use tokio::task::JoinSet;

use super::*;

const MOVED: RotateOutcome = RotateOutcome::Moved {
    found: 1,
    version: 1,
};

impl<B: Bench> Case<B> {
    fn renewal(&self) -> &dyn Renewal {
        self.store.renewal().unwrap()
    }

    /// Renews at this moment, with a trail of a minute.
    async fn renew(&self, from: u32, to: u32) -> RotateOutcome {
        let now = self.clock.now();
        let mut times = Times::starting(now.minus(Duration::from_secs(100)));
        times.renewed_at = now;
        let trail_ends_at = now.plus(Duration::from_secs(60));
        let moving = self
            .renewal()
            .renew(&key(from), &key(to), times, trail_ends_at);
        moving.await.unwrap()
    }

    async fn follow(&self, number: u32) -> Option<Trail> {
        self.renewal().follow(&key(number)).await.unwrap()
    }
}

pub(crate) async fn renew_moves_and_leaves_a_trail<B: Bench>(case: Case<B>) {
    let mut record = case.record("a");
    record.owner = Some(owner("ada"));
    case.add(&key(1), record).await;
    case.clock.advance(Duration::from_secs(5));
    let first_move = case.clock.now();
    assert_eq!(case.renew(1, 2).await, MOVED);
    assert!(case.word(&key(1)).await.is_none());
    let back = case.store.get(&key(2)).await.unwrap().unwrap();
    assert_eq!((back.version, back.data[0].as_str()), (1, "a"));
    assert_eq!(back.owner, Some(owner("ada")));
    assert_eq!(back.times.renewed_at, first_move);
    assert_eq!(case.follow(1).await, Some(Trail::new(key(2), first_move)));
    assert_eq!(case.follow(2).await, None);

    // On, and the trails lead from one to the next.
    case.clock.advance(Duration::from_secs(5));
    assert_eq!(case.renew(2, 3).await, MOVED);
    assert_eq!(case.follow(1).await, Some(Trail::new(key(2), first_move)));
    let second_move = case.clock.now();
    assert_eq!(case.follow(2).await, Some(Trail::new(key(3), second_move)));

    // A trail makes nothing live: the old key is dead for everything else.
    let times = Times::starting(case.clock.now());
    assert!(!case.store.touch(&key(2), second_move).await.unwrap());
    for expect in [Expect::Present, Expect::Version(1)] {
        let outcome = case.store.set(&key(2), case.record("b"), expect).await;
        assert_eq!(outcome.unwrap(), SetOutcome::Gone);
    }
    let outcome = case.store.rotate(&key(2), &key(9), times).await.unwrap();
    assert_eq!(outcome, RotateOutcome::Gone);
    assert_eq!(case.renew(2, 9).await, RotateOutcome::Gone);
    assert_eq!(case.follow(2).await, Some(Trail::new(key(3), second_move)));
    assert!(!case.store.destroy(&key(2)).await.unwrap());
    assert_eq!(case.store.count().await.unwrap(), 1);

    // It stays when the session ends, and goes with its time.
    assert!(case.store.destroy(&key(3)).await.unwrap());
    assert_eq!(case.follow(2).await, Some(Trail::new(key(3), second_move)));
    case.clock.advance(Duration::from_millis(54_999));
    assert!(case.follow(1).await.is_some());
    case.clock.advance(Duration::from_millis(1));
    assert!(case.follow(1).await.is_none() && case.follow(2).await.is_some());
    case.clock.advance(Duration::from_secs(5));
    assert!(case.follow(2).await.is_none());
}

pub(crate) async fn unless_it_moved_no_trail_is_left<B: Bench>(case: Case<B>) {
    assert_eq!(case.renew(1, 2).await, RotateOutcome::Gone);
    case.add(&key(1), case.record("a")).await;
    case.add(&key(2), case.record("b")).await;
    assert_eq!(case.renew(1, 2).await, RotateOutcome::Exists);
    assert_eq!(case.renew(1, 1).await, RotateOutcome::Exists);
    assert_eq!(case.follow(1).await, None);
    assert_eq!(case.word(&key(1)).await.unwrap(), "a");
    assert_eq!(case.word(&key(2)).await.unwrap(), "b");

    // Onto an expired row it moves.
    case.add(&key(3), case.ending_in("dead", 1)).await;
    case.add(&key(4), case.ending_in("dead", 1)).await;
    case.clock.advance(Duration::from_secs(1));
    assert_eq!(case.renew(1, 3).await, MOVED);
    assert_eq!(case.word(&key(3)).await.unwrap(), "a");
    assert_eq!(case.renew(4, 5).await, RotateOutcome::Gone);
    assert_eq!(case.follow(4).await, None);
}

pub(crate) async fn a_later_trail_replaces_an_earlier_one<B: Bench>(case: Case<B>) {
    for to in [2, 3] {
        case.add(&key(1), case.record("a")).await;
        assert_eq!(case.renew(1, to).await, MOVED);
        let found = case.follow(1).await;
        assert_eq!(found, Some(Trail::new(key(to), case.clock.now())));
        case.clock.advance(Duration::from_secs(1));
    }
}

pub(crate) async fn trails_leave<B: Bench>(case: Case<B>) {
    let trails_table: TableName = format!("{}_trails_of", &case.table.as_str()[..12])
        .parse()
        .unwrap();
    let case = Case {
        store: Case::<B>::build(&case.pool, &trails_table, &case.clock)
            .purge_batch(3)
            .create()
            .await
            .unwrap(),
        table: trails_table,
        ..case
    };
    for number in 0..20 {
        case.add(&key(number), case.record("a")).await;
        assert_eq!(case.renew(number, 100 + number).await, MOVED);
        case.clock.advance(Duration::from_secs(1));
    }
    // The first ten are over.
    case.clock.advance(Duration::from_secs(50));
    case.add(&key(50), case.ending_in("dead", 1)).await;
    case.clock.advance(Duration::from_secs(1));
    let purged = case.store.purge_expired().await.unwrap();
    assert_eq!(purged, 1, "trails are no sessions");
    // Were the rows still there, an earlier time would show them.
    case.clock
        .set(case.clock.now().minus(Duration::from_secs(30)));
    for number in 0..20 {
        assert_eq!(
            case.follow(number).await.is_some(),
            number >= 12,
            "{number}"
        );
    }
    assert_eq!(case.store.clear().await.unwrap(), 20);
    for number in 0..20 {
        assert_eq!(case.follow(number).await, None);
    }
}

/// One of many renewals wins, and whoever finds the old key dead finds the trail.
pub(crate) async fn whoever_finds_it_dead_finds_the_trail<B: Bench>(case: Case<B>) {
    for round in 0..8_u32 {
        let old = 1_000 * round;
        case.add(&key(old), case.record("a")).await;
        let now = case.clock.now();
        let mut readers = JoinSet::new();
        for _ in 0..4 {
            let store = case.store.clone();
            readers.spawn(async move {
                while store.get(&key(old)).await.unwrap().is_some() {}
                let renewal = store.renewal().unwrap();
                let trail = renewal.follow(&key(old)).await.unwrap();
                let trail = trail.expect("dead, so it has moved");
                assert!(store.get(&trail.to).await.unwrap().is_some());
                trail.to
            });
        }
        let mut renewals = JoinSet::new();
        for number in 1..=16 {
            let store = case.store.clone();
            renewals.spawn(async move {
                let to = key(old + number);
                let times = Times::starting(now);
                let ends_at = now.plus(Duration::from_secs(60));
                let renewal = store.renewal().unwrap();
                let outcome = renewal.renew(&key(old), &to, times, ends_at).await;
                (to, outcome.unwrap())
            });
        }
        let outcomes = renewals.join_all().await;
        let won: Vec<_> = outcomes
            .iter()
            .filter(|(_, outcome)| *outcome == MOVED)
            .collect();
        assert_eq!(won.len(), 1);
        for to in readers.join_all().await {
            assert_eq!(to, won[0].0);
        }
    }
    assert_eq!(case.store.count().await.unwrap(), 8);
}
