//! Two requests of one session, each verb against each, in every order in which their reads and writes can come;
//! and the end of its time against each. What has to come of it says a model of a page.

use std::time::Duration;

use crate::{Gate, Kit, Op, Site, Visitor};

/// What the slow request does.
const SLOW: [&str; 9] = [
    "read",
    "save",
    "update",
    "update-or-default",
    "overwrite",
    "resave",
    "rotate",
    "destroy",
    "logout",
];

/// What happens meanwhile.
const QUICK: [&str; 8] = [
    "save",
    "update",
    "overwrite",
    "resave",
    "rotate",
    "destroy",
    "logout",
    "expiry",
];

/// When it happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Moment {
    BeforeTheRead,
    BetweenReadAndWrite,
    BeforeTheWriteArrives,
    BeforeTheWriteIsAcknowledged,
}

impl Moment {
    const ALL: [Self; 4] = [
        Self::BeforeTheRead,
        Self::BetweenReadAndWrite,
        Self::BeforeTheWriteArrives,
        Self::BeforeTheWriteIsAcknowledged,
    ];

    /// Where the slow request waits for it. None if a request of that verb does not come by there.
    fn gate(self, site: &Site, verb: &str) -> Option<Gate> {
        let gate = match self {
            Self::BeforeTheRead => site.store.before(Op::Get),
            Self::BetweenReadAndWrite if verb == "update-or-default" => return None,
            Self::BetweenReadAndWrite => site.work(),
            Self::BeforeTheWriteArrives => site.store.before(writing(verb)?),
            Self::BeforeTheWriteIsAcknowledged => site.store.after(writing(verb)?),
        };
        Some(gate.clone())
    }
}

const LIFETIME: Duration = Duration::from_secs(3_600);

/// 264 cases.
pub async fn two_requests_in_every_order(kit: &Kit) {
    let plan = kit.plan().configure(|it| it.max_age(LIFETIME));
    let site = plan.start().await;
    for slow in SLOW {
        for quick in QUICK {
            for moment in Moment::ALL {
                if let Some(gate) = moment.gate(&site, slow) {
                    let case = format!("{slow}, and {quick} {moment:?}");
                    race(&site, &gate, moment, slow, quick, &case).await;
                }
            }
        }
    }
}

async fn race(site: &Site, gate: &Gate, moment: Moment, slow: &str, quick: &str, case: &str) {
    let visitor = site.signed_in("ada").await;
    gate.hold(1);
    let path = match moment {
        Moment::BetweenReadAndWrite => format!("/current/slow-{slow}"),
        _ => format!("/current/{slow}"),
    };
    let pending = visitor.meanwhile(&path, "slow");
    gate.arrived(1).await;
    let overtaking = match quick {
        "expiry" => {
            site.clock.advance(LIFETIME);
            None
        }
        verb => Some(
            visitor
                .twin()
                .post(&format!("/current/{verb}"), "quick")
                .await,
        ),
    };
    gate.release(1);
    let overtaken = pending.answer().await;

    let mut model = Model::signed_in("ada");
    let (slow, quick) = model.race(moment, slow, quick);
    for (response, expected) in [(Some(overtaken), Some(slow)), (overtaking, quick)] {
        let (Some(response), Some(expected)) = (response, expected) else {
            continue;
        };
        assert_eq!(response.status, expected.status, "{case}");
        let cookie = response.set_cookie("__Host-sid");
        let fresh = cookie.filter(|cookie| !cookie.is_removal());
        assert_eq!(fresh.is_some(), expected.fresh.is_some(), "{case}");
        if let (Some(cookie), Some(fresh)) = (fresh, expected.fresh) {
            let holder = site.visitor_with(&cookie.pair());
            assert_eq!(
                whoami(&holder).await,
                model.shown(fresh),
                "{case}: the fresh one"
            );
        }
    }
    assert_eq!(
        whoami(&visitor).await,
        model.shown(0),
        "{case}: the old one"
    );
    assert_eq!(site.store.live().await, model.live(), "{case}");
    site.store.clear().await;
}

async fn whoami(visitor: &Visitor) -> Option<String> {
    let who = visitor.whoami().await;
    (who != "nobody").then_some(who)
}

/// The store operation by which a verb writes to a live session.
fn writing(verb: &str) -> Option<Op> {
    match verb {
        "read" => None,
        "resave" => Some(Op::Replace),
        "rotate" => Some(Op::Rotate),
        "destroy" | "logout" => Some(Op::Destroy),
        _ => Some(Op::Set),
    }
}

/// What a session holds: a name, and how often it was written.
type Data = (&'static str, u64);

/// All sessions that there ever were, by the order in which they came. The first is the one that is raced for.
struct Model(Vec<Option<Data>>);

/// What a request gets.
struct Outcome {
    status: u16,
    /// The session whose id it was given.
    fresh: Option<usize>,
}

impl Model {
    fn signed_in(name: &'static str) -> Self {
        Self(vec![Some((name, 0))])
    }

    fn race(&mut self, moment: Moment, slow: &str, quick: &str) -> (Outcome, Option<Outcome>) {
        let mut read = self.0[0];
        let mut slow_outcome = None;
        if moment == Moment::BeforeTheWriteIsAcknowledged {
            slow_outcome = Some(self.write(slow, "slow", read));
        }
        let quick_outcome = match quick {
            "expiry" => {
                self.0.fill(None);
                None
            }
            verb => Some(self.write(verb, "quick", self.0[0])),
        };
        if moment == Moment::BeforeTheRead {
            read = self.0[0];
        }
        let slow_outcome = slow_outcome.unwrap_or_else(|| self.write(slow, "slow", read));
        if quick == "expiry" && moment == Moment::BeforeTheWriteArrives {
            // The write was on its way already: what it began, it began before that time passed.
            self.0.fill(None);
        }
        (slow_outcome, quick_outcome)
    }

    /// A request that read this, and now writes.
    fn write(&mut self, verb: &str, name: &'static str, read: Option<Data>) -> Outcome {
        let now = self.0[0];
        let next = (name, read.map_or(0, |(_, count)| count + 1));
        match (verb, read, now) {
            ("read", ..) => {}
            ("destroy" | "logout", ..) => self.0[0] = None,
            ("resave", ..) => return self.begin(next),
            ("save" | "overwrite", None, _) => return self.begin(next),
            ("update-or-default", None, _) => return self.begin(("", 1)),
            // There was none, or it ended meanwhile.
            ("update" | "rotate", None, _) | (_, Some(_), None) => return Outcome::failed(401),
            ("save", Some(read), Some(now)) if read != now => return Outcome::failed(409),
            ("save" | "overwrite", ..) => self.0[0] = Some(next),
            ("update" | "update-or-default", _, Some((name, count))) => {
                self.0[0] = Some((name, count + 1));
            }
            ("rotate", _, Some(now)) => return self.begin(now),
            (other, ..) => panic!("no verb is called {other}"),
        }
        Outcome {
            status: 200,
            fresh: None,
        }
    }

    /// Under a fresh id, and the old one has ended.
    fn begin(&mut self, data: Data) -> Outcome {
        self.0[0] = None;
        self.0.push(Some(data));
        Outcome {
            status: 200,
            fresh: Some(self.0.len() - 1),
        }
    }

    fn shown(&self, session: usize) -> Option<String> {
        self.0[session].map(|(name, count)| format!("{name}:{count}"))
    }

    fn live(&self) -> u64 {
        self.0.iter().flatten().count() as u64
    }
}

impl Outcome {
    fn failed(status: u16) -> Self {
        Self {
            status,
            fresh: None,
        }
    }
}
