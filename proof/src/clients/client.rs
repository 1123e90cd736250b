use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use fastrand::Rng;

use super::jar::{Cookie, Jar};
use super::plan::Plan;
use super::visit::{Next, Visit, handle};
use crate::Ids;
use crate::app::{Link, Verb, Written};
use crate::history::{Call, Op, Stopwatch};

/// Somebody who sends one request after the other.
#[derive(Debug)]
pub(crate) struct Client {
    pub(crate) number: usize,
    pub(crate) dice: Rng,
    pub(crate) jar: Arc<Jar>,
    pub(crate) links: Vec<Link>,
    pub(crate) stopwatch: Arc<Stopwatch>,
    /// Gives every operation and every request its number.
    pub(crate) numbers: Arc<AtomicU64>,
    pub(crate) ids: Ids,
    pub(crate) ops: Vec<Op>,
}

impl Client {
    /// Sends requests until it is told to stop, and answers with all that happened.
    pub(crate) async fn run(mut self, stop: Arc<AtomicBool>) -> Vec<Op> {
        while !stop.load(Ordering::Relaxed) {
            self.request().await;
            if self.dice.u32(0..100) == 0 {
                self.jar.forget();
            }
            // Without this, one that answers at once would never let the others go.
            tokio::task::yield_now().await;
        }
        self.ops
    }

    /// Reads the session of every one of these cookies once.
    pub(crate) async fn read_all(mut self, cookies: Vec<Cookie>) -> Vec<Op> {
        for cookie in cookies {
            let app = self.dice.usize(0..self.links.len());
            let link = self.links[app].clone();
            let numbers = Arc::clone(&self.numbers);
            let mut visit = self.visit(&link, app, &numbers);
            visit.handle = Some(cookie.handle);
            let verb = open(Some(&cookie), true);
            visit
                .ask(next(&numbers), Call::Load(cookie.handle), verb)
                .await;
            let _ = link.ask(visit.request, Verb::Finish).await;
        }
        self.ops
    }

    async fn request(&mut self) {
        let app = self.dice.usize(0..self.links.len());
        let link = self.links[app].clone();
        let numbers = Arc::clone(&self.numbers);
        let jar = Arc::clone(&self.jar);
        let mut dice = self.dice.fork();

        // Sometimes somebody comes back with a cookie of old.
        let old = (dice.u32(0..12) == 0)
            .then(|| jar.old(dice.usize(..)))
            .flatten();
        let is_old = old.is_some();
        let cookie = old.or_else(|| jar.cookie());
        let presented = cookie.as_ref().map(|cookie| cookie.handle);
        let mut visit = self.visit(&link, app, &numbers);
        visit.handle = presented;

        let unloaded = presented.is_some() && dice.u32(0..16) == 0;
        let mut plan = if unloaded {
            let verb = open(cookie.as_ref(), false);
            if link.ask(visit.request, verb).await.is_err() {
                return;
            }
            Some(Plan::unloaded(&mut dice))
        } else {
            let verb = open(cookie.as_ref(), true);
            let next = match presented {
                Some(on) => visit.ask(next(&numbers), Call::Load(on), verb).await,
                // Asks no store.
                None => match link.ask(visit.request, verb).await {
                    Ok(_) => Next::Fine,
                    Err(_) => return,
                },
            };
            if next != Next::Fine {
                pause(&mut dice).await;
            }
            if next == Next::Dead {
                return;
            }
            (next == Next::Fine && !is_old).then(|| draw(&visit, &mut dice))
        };
        while let Some(now) = plan.take() {
            think(&mut dice).await;
            let next = act(&mut visit, now, &numbers).await;
            plan = match next {
                Next::Dead | Next::Trouble => {
                    pause(&mut dice).await;
                    if next == Next::Dead {
                        return;
                    }
                    None
                }
                Next::Gone => (dice.u32(0..4) == 0).then_some(Plan::Resave),
                Next::Fine => (!unloaded && dice.u32(0..3) == 0).then(|| draw(&visit, &mut dice)),
            };
        }
        think(&mut dice).await;
        finish(&mut visit, &link, &numbers, &jar, is_old).await;
    }

    fn visit<'a>(&'a mut self, link: &'a Link, app: usize, numbers: &AtomicU64) -> Visit<'a> {
        Visit {
            stopwatch: &self.stopwatch,
            link,
            app,
            client: self.number,
            owner: self.jar.owner,
            request: next(numbers),
            handle: None,
            value: None,
            ids: self.ids,
            by_old_id: false,
            ops: &mut self.ops,
        }
    }
}

/// The end of a request: the session's use is noted, and the browser gets its cookie.
async fn finish(visit: &mut Visit<'_>, link: &Link, numbers: &AtomicU64, jar: &Jar, is_old: bool) {
    let called = visit.stopwatch.now();
    let reply = link.ask(visit.request, Verb::Finish).await;
    let returned = visit.stopwatch.now();
    let before = visit.handle;
    if let Ok(reply) = &reply {
        visit.handle = handle(reply);
    }
    let now = visit.handle;
    let renewed = visit.renewed(before);
    let touch = match &reply {
        Ok(reply) => reply.touch,
        // Whether one was due, nobody knows.
        Err(_) => Some(false),
    };
    // It may have been time for a renewal only after it was asked whether a touch is due.
    let touch = touch.or(renewed.map(|_| false));
    if let (Some(on), Some(touched)) = (now.or(before), touch) {
        visit.ops.push(Op {
            number: next(numbers),
            client: visit.client,
            app: visit.app,
            owner: visit.owner,
            call: Call::Touch(on),
            answer: match touched {
                true => crate::history::Answer::Done,
                false => crate::history::Answer::Unknown("no touch was reported".to_owned()),
            },
            called,
            returned,
            renewed,
            by_old_id: visit.by_old_id,
        });
    }
    // A stranger's cookie does not get into the jar.
    if let (Ok(reply), false) = (&reply, is_old)
        && let Some(field) = &reply.set_cookie
    {
        jar.take(field, now);
    }
}

async fn act(visit: &mut Visit<'_>, plan: Plan, numbers: &AtomicU64) -> Next {
    let number = next(numbers);
    let owner = visit.owner;
    let count = visit.value.map_or(1, |value| value.count + 1);
    let written = Written {
        owner,
        writer: number,
        count,
    };
    let live = visit.handle.zip(visit.value);
    let (call, verb) = match (plan, live, visit.handle) {
        (Plan::Nothing, ..) => return Next::Fine,
        (Plan::Save, Some((over, value)), _) => {
            let version = value.version;
            let call = Call::Save {
                over,
                version,
                count,
            };
            (call, Verb::Save(written))
        }
        (Plan::Save, ..) => (Call::Begin { count }, Verb::Save(written)),
        (Plan::Overwrite, Some((over, _)), _) => {
            (Call::Overwrite { over, count }, Verb::Overwrite(written))
        }
        (Plan::Update, Some((on, _)), _) => (Call::Update(on), Verb::Update { writer: number }),
        (Plan::Rotate, Some((from, _)), _) => (Call::Rotate(from), Verb::Rotate),
        (Plan::DestroyOthers, Some((on, _)), _) => (Call::DestroyOthers(on), Verb::DestroyOthers),
        (Plan::Resave, _, ends) => (Call::Resave { ends, count }, Verb::Resave(written)),
        (Plan::Destroy, _, Some(on)) => (Call::Destroy(on), Verb::Destroy),
        (Plan::Logout, _, Some(on)) => (Call::Logout(on), Verb::Logout),
        (Plan::List, ..) => (Call::List, Verb::List { owner }),
        (Plan::DestroyOwner, ..) => (Call::DestroyOwner, Verb::DestroyOwner { owner }),
        (Plan::Purge, ..) => (Call::Purge, Verb::Purge),
        _ => return Next::Fine,
    };
    visit.ask(number, call, verb).await
}

fn draw(visit: &Visit<'_>, dice: &mut Rng) -> Plan {
    match visit.handle {
        Some(_) => Plan::with_session(dice),
        None => Plan::without(dice),
    }
}

fn open(cookie: Option<&Cookie>, load: bool) -> Verb {
    Verb::Open {
        cookie: cookie.map(|cookie| cookie.pair.clone()),
        load,
    }
}

/// A handler that works for a while, so that others come in between.
async fn think(dice: &mut Rng) {
    if dice.u32(0..8) == 0 {
        tokio::time::sleep(Duration::from_millis(dice.u64(1..6))).await;
    }
}

/// After trouble people do not try again at once, and the history is not to be full of it.
async fn pause(dice: &mut Rng) {
    tokio::time::sleep(Duration::from_millis(dice.u64(5..50))).await;
}

fn next(numbers: &AtomicU64) -> u64 {
    numbers.fetch_add(1, Ordering::Relaxed) + 1
}
