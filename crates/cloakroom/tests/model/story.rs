//! What is done, at random.

use proptest::prelude::*;

/// The verbs, with the number that is stored or added.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Verb {
    Reload,
    Save(u32),
    Update(u32),
    Overwrite(u32),
    Resave(u32),
    Rotate,
    Destroy,
    Logout,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Step {
    /// That browser sends a request, with its cookie, and it reads.
    Open(usize, Reads),
    /// That browser signs in, and gets the cookie.
    SignIn(usize, u32),
    /// That browser opens a page that reads the session, and gets it.
    Look(usize),
    /// A request's handler asks for its session.
    Read(usize),
    /// It uses a verb, after reading or without, where it can.
    Verb(usize, Verb, Reads),
    /// The response leaves. The handler may go on: in a streamed body.
    Respond(usize),
    /// So many seconds.
    Wait(u64),
    /// An administrator ends all sessions.
    Clear,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reads {
    First,
    Not,
}

pub(crate) const BROWSERS: usize = 2;

/// With an idle time-out or without, and what happens.
pub(crate) fn story() -> impl Strategy<Value = (bool, Vec<Step>)> {
    (any::<bool>(), prop::collection::vec(step(), 1..60))
}

fn step() -> impl Strategy<Value = Step> {
    let browser = || 0..BROWSERS;
    // Counted from the latest.
    let request = || 0..4_usize;
    let seconds = [1, 59, 60, 540, 599, 600, 3_000, 3_600];
    let reads = || prop_oneof![Just(Reads::First), Just(Reads::Not)];
    prop_oneof![
        8 => (browser(), reads()).prop_map(|(browser, reads)| Step::Open(browser, reads)),
        4 => (browser(), 1..9_u32).prop_map(|(browser, data)| Step::SignIn(browser, data)),
        4 => browser().prop_map(Step::Look),
        2 => request().prop_map(Step::Read),
        16 => (request(), verb(), reads()).prop_map(|(at, verb, reads)| Step::Verb(at, verb, reads)),
        6 => request().prop_map(Step::Respond),
        4 => prop::sample::select(seconds.to_vec()).prop_map(Step::Wait),
        1 => Just(Step::Clear),
    ]
}

fn verb() -> impl Strategy<Value = Verb> {
    let number = || 1..9_u32;
    prop_oneof![
        1 => Just(Verb::Reload),
        4 => number().prop_map(Verb::Save),
        3 => number().prop_map(Verb::Update),
        2 => number().prop_map(Verb::Overwrite),
        2 => number().prop_map(Verb::Resave),
        2 => Just(Verb::Rotate),
        1 => Just(Verb::Destroy),
        1 => Just(Verb::Logout),
    ]
}
