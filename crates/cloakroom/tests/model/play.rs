//! Plays a story to the engine and to the model, and tells where they differ.

use std::fmt::Write;
use std::time::Duration;

use cloakroom::{
    CurrentSession, ErrorKind, LazySession, ManualClock, Secret, Sessions, Store, Timestamp,
};

use crate::model::{Cookie, IDLE_TIMEOUT, MAX_AGE, Model, Request};
use crate::story::{BROWSERS, Reads, Step, Verb};

pub(crate) struct Play {
    sessions: Sessions<u32>,
    clock: ManualClock,
    model: Model,
    /// The session whose cookie a browser has.
    jars: [Option<usize>; BROWSERS],
    /// The cookies that were sent, by their sessions.
    cookies: Vec<Option<String>>,
    requests: Vec<Played>,
    told: String,
}

/// A request, played and modelled.
struct Played {
    browser: usize,
    lazy: LazySession<u32>,
    model: Request,
    responded: bool,
}

/// What went differently, after the story so far.
type Difference = String;

impl Play {
    pub(crate) fn new<S: Store<u32>>(idle_timeout: bool, open: impl Fn(ManualClock) -> S) -> Self {
        let clock = ManualClock::at(Timestamp::from_millis(1_900_000_000_000));
        let secret = Secret::generate().unwrap();
        let mut builder = Sessions::builder(open(clock.clone()), secret)
            .clock(clock.clone())
            .max_age(Duration::from_secs(MAX_AGE));
        if idle_timeout {
            builder = builder.idle_timeout(Duration::from_secs(IDLE_TIMEOUT));
        }
        Self {
            sessions: builder.build().unwrap(),
            clock,
            model: Model::new(idle_timeout),
            jars: [None; BROWSERS],
            cookies: Vec::new(),
            requests: Vec::new(),
            told: format!("with an idle time-out: {idle_timeout}"),
        }
    }

    pub(crate) async fn all(mut self, steps: &[Step]) -> Result<(), Difference> {
        for step in steps {
            self.step(*step).await?;
            let count = self.sessions.count().await.unwrap();
            let expected = self.model.count();
            self.compare("sessions that live", &count, &expected)?;
        }
        for (id, cookie) in self.cookies.clone().into_iter().enumerate() {
            if let Some(cookie) = cookie {
                let session = self.sessions.for_request([cookie]).load().await.unwrap();
                let expected = self.model.stored(id);
                self.tell(format!("what is in session {id}"));
                self.compare("data", &session.data().map(|data| *data), &expected)?;
            }
        }
        Ok(())
    }

    async fn step(&mut self, step: Step) -> Result<(), Difference> {
        match step {
            Step::Open(browser, reads) => {
                self.open(browser);
                if reads == Reads::First {
                    self.of_request(Step::Read(0)).await?;
                }
            }
            Step::SignIn(browser, data) => {
                self.open(browser);
                let sign_in = Step::Verb(0, Verb::Resave(data), Reads::Not);
                self.of_request(sign_in).await?;
                self.of_request(Step::Respond(0)).await?;
            }
            Step::Look(browser) => {
                self.open(browser);
                self.of_request(Step::Read(0)).await?;
                self.of_request(Step::Respond(0)).await?;
            }
            Step::Wait(seconds) => {
                self.tell(format!("time passes: {seconds} seconds"));
                self.clock.advance(Duration::from_secs(seconds));
                self.model.now += seconds;
            }
            Step::Clear => {
                self.tell("an administrator ends all sessions".to_owned());
                self.sessions.clear().await.unwrap();
                self.model.clear();
            }
            Step::Read(_) | Step::Verb(..) | Step::Respond(_) => self.of_request(step).await?,
        }
        Ok(())
    }

    fn open(&mut self, browser: usize) {
        let number = self.requests.len();
        self.tell(format!("browser {browser} sends request {number}"));
        let brought = self.jars[browser];
        let cookie = brought.map(|id| self.cookies[id].clone().expect("it was sent"));
        self.requests.push(Played {
            browser,
            lazy: self
                .sessions
                .for_request(cookie.into_iter().collect::<Vec<_>>()),
            model: Request::with(brought),
            responded: false,
        });
    }

    /// A step of a request, which says which one, counted from the latest.
    async fn of_request(&mut self, step: Step) -> Result<(), Difference> {
        let (Step::Read(back) | Step::Verb(back, ..) | Step::Respond(back)) = step else {
            return Ok(());
        };
        let Some(at) = self.requests.len().checked_sub(1 + back) else {
            return Ok(());
        };
        let mut request = self.requests.remove(at);
        let played = self.act(at, &mut request, step).await;
        self.requests.insert(at, request);
        played
    }

    async fn act(&mut self, at: usize, request: &mut Played, step: Step) -> Result<(), Difference> {
        match step {
            Step::Verb(_, verb, reads) => {
                let without = reads == Reads::Not
                    && matches!(verb, Verb::Resave(_) | Verb::Destroy | Verb::Logout);
                let how = if without { ", without reading" } else { "" };
                self.tell(format!("request {at}: {verb:?}{how}"));
                if !without {
                    self.model.load(&mut request.model);
                }
                let outcome = of_engine(&request.lazy, verb, without).await;
                let expected = self.model.verb(&mut request.model, verb);
                self.compare("the outcome", &outcome, &expected)?;
                self.sees(request).await
            }
            Step::Respond(_) if !request.responded => {
                self.tell(format!("request {at}: its response leaves"));
                request.responded = true;
                self.respond(request).await
            }
            Step::Respond(_) => Ok(()),
            _ => {
                self.tell(format!("request {at} reads"));
                self.model.load(&mut request.model);
                self.sees(request).await
            }
        }
    }

    /// What a handler sees as the session's data.
    async fn sees(&mut self, request: &Played) -> Result<(), Difference> {
        if request.model.is_read() {
            let session = request.lazy.load().await.unwrap();
            let seen = session.data().map(|data| *data);
            self.compare("data", &seen, &request.model.data())?;
        }
        Ok(())
    }

    async fn respond(&mut self, request: &mut Played) -> Result<(), Difference> {
        let effect = request.lazy.finish().await;
        let expected = self.model.respond(&mut request.model);
        let sent = effect.set_cookie().map(|field| {
            let (pair, attributes) = field.split_once("; ").unwrap();
            (pair.to_owned(), attributes.contains("Max-Age=0"))
        });
        let cookie = match (&sent, expected) {
            (None, _) => Cookie::Keep,
            (Some((_, true)), _) => Cookie::Remove,
            // Which one it is shows when it is used.
            (Some((_, false)), Cookie::Send(id)) => Cookie::Send(id),
            (Some((_, false)), _) => Cookie::Send(usize::MAX),
        };
        self.compare("the cookie", &cookie, &expected)?;
        match (sent, expected) {
            (Some((pair, _)), Cookie::Send(id)) => {
                let twice = self.cookies.iter().flatten().any(|other| *other == pair);
                self.compare("whether the id was sent before", &twice, &false)?;
                self.cookies.resize(self.cookies.len().max(id + 1), None);
                self.cookies[id] = Some(pair);
                self.jars[request.browser] = Some(id);
            }
            (_, Cookie::Remove) => self.jars[request.browser] = None,
            _ => {}
        }
        Ok(())
    }

    fn tell(&mut self, what: String) {
        let _ = write!(self.told, "\n  {what}");
    }

    fn compare<V: PartialEq + std::fmt::Debug>(
        &mut self,
        what: &str,
        seen: &V,
        expected: &V,
    ) -> Result<(), Difference> {
        if seen == expected {
            return Ok(());
        }
        Err(format!(
            "{}\n{what}: {seen:?}, but the model says {expected:?}",
            self.told
        ))
    }
}

async fn of_engine(lazy: &LazySession<u32>, verb: Verb, without: bool) -> Result<(), ErrorKind> {
    let outcome = match verb {
        Verb::Resave(data) if without => lazy.resave(data).await,
        Verb::Destroy if without => lazy.destroy().await,
        Verb::Logout if without => lazy.logout().await,
        _ => {
            let session = lazy.load().await.unwrap();
            of_loaded(&session, verb).await
        }
    };
    outcome.map_err(|error| error.kind())
}

async fn of_loaded(session: &CurrentSession<u32>, verb: Verb) -> Result<(), cloakroom::Error> {
    match verb {
        Verb::Reload => session.reload().await,
        Verb::Save(data) => session.save(data).await,
        Verb::Update(more) => session.update(|data| *data += more).await,
        Verb::Overwrite(data) => session.overwrite(data).await,
        Verb::Resave(data) => session.resave(data).await,
        Verb::Rotate => session.rotate().await,
        Verb::Destroy => session.destroy().await,
        Verb::Logout => session.logout().await,
    }
}
