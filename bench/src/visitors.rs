//! Many browsers, each signed in to one application.

use crate::app::{App, Jar, measured_exchange};
use crate::case::Case;

/// More cookies than these are not kept; the sessions are there all the same.
const KEPT: u64 = 100_000;

pub struct Visitors {
    pub app: Box<dyn App>,
    jars: Vec<Jar>,
    dice: Dice,
    current: usize,
}

impl Visitors {
    /// Signs in that many.
    pub fn sign_in(mut app: Box<dyn App>, sessions: u64) -> Self {
        let every = sessions.div_ceil(KEPT).max(1);
        let mut jars = Vec::new();
        for visitor in 0..sessions {
            let jar = sign_in(&mut *app);
            if visitor % every == 0 {
                jars.push(jar);
            }
        }
        Self { app, jars, dice: Dice::new(1), current: 0 }
    }

    /// Signs in that many who never come back.
    pub fn fill(mut app: Box<dyn App>, sessions: u64) -> Box<dyn App> {
        for _ in 0..sessions {
            sign_in(&mut *app);
        }
        app
    }

    /// Visitors with the same cookies of another application, which does not look at them.
    pub fn beside(&self, app: Box<dyn App>) -> Self {
        Self { app, jars: self.jars.clone(), dice: Dice::new(1), current: 0 }
    }

    /// Any of them.
    pub fn choose(&mut self) -> usize {
        self.current = self.dice.below(self.jars.len() as u64) as usize;
        self.current
    }

    /// The next request of the one who was chosen.
    pub fn prepare_chosen(&mut self, case: Case) {
        let jar = &self.jars[self.current];
        let cookie = (case.has_cookie() && !jar.is_empty()).then(|| jar.header());
        self.app.prepare(case.path(), cookie.as_ref());
    }

    pub fn prepare(&mut self, case: Case) {
        self.choose();
        self.prepare_chosen(case);
    }

    pub fn serve(&mut self) {
        self.app.serve();
    }

    /// For callgrind, which counts inside the one function that this calls.
    pub fn serve_counted(&mut self) {
        measured_exchange(&mut *self.app);
    }

    pub fn finish(&mut self, case: Case) {
        if case.has_cookie() {
            self.app.finish(&mut self.jars[self.current]);
        } else {
            self.app.finish(&mut Jar::default());
        }
    }

    pub fn request(&mut self, case: Case) {
        self.prepare(case);
        self.serve();
        self.finish(case);
    }
}

fn sign_in(app: &mut dyn App) -> Jar {
    let mut jar = Jar::default();
    app.prepare(Case::SignIn.path(), None);
    app.serve();
    app.finish(&mut jar);
    jar
}

/// Which session is met must not follow the order in which they were made. xorshift.
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(0x9e37_79b9_7f4a_7c15 ^ seed.wrapping_mul(0xbf58_476d_1ce4_e5b9))
    }

    pub fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }
}
