//! Many browsers, each signed in to one application.

use crate::app::{App, Jar, measured_exchange};
use crate::case::Case;

/// More cookies than these are not kept; the sessions are there all the same.
const KEPT: u64 = 100_000;

pub struct Visitors {
    pub app: Box<dyn App>,
    jars: Vec<Jar>,
    dice: u64,
    current: usize,
}

impl Visitors {
    /// Signs in that many.
    pub fn sign_in(mut app: Box<dyn App>, sessions: u64) -> Self {
        let every = sessions.div_ceil(KEPT).max(1);
        let mut jars = Vec::new();
        for visitor in 0..sessions {
            let mut jar = Jar::default();
            app.prepare(Case::SignIn.path(), None);
            app.serve();
            app.finish(&mut jar);
            if visitor % every == 0 {
                jars.push(jar);
            }
        }
        Self { app, jars, dice: 0x9e37_79b9_7f4a_7c15, current: 0 }
    }

    /// Visitors with the same cookies of another application, which does not look at them.
    pub fn beside(&self, app: Box<dyn App>) -> Self {
        Self { app, jars: self.jars.clone(), dice: self.dice, current: 0 }
    }

    /// The next request, of any of the visitors.
    pub fn prepare(&mut self, case: Case) {
        // xorshift: which session is met must not follow the order in which they were made.
        self.dice ^= self.dice << 13;
        self.dice ^= self.dice >> 7;
        self.dice ^= self.dice << 17;
        self.current = (self.dice % self.jars.len() as u64) as usize;
        let jar = &self.jars[self.current];
        let cookie = (case.has_cookie() && !jar.is_empty()).then(|| jar.header());
        self.app.prepare(case.path(), cookie.as_ref());
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
