use std::sync::{Arc, Mutex};

use bytes::Bytes;
use cloakroom::{CurrentSession, Error, LazySession, Sessions};
use serde::{Deserialize, Serialize};
use std::time::Duration;

use crate::{Answer, Failure, Gate};

/// What the scenarios keep in a session.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Data {
    /// Who it is.
    pub name: String,
    /// Counts writes.
    pub count: u64,
}

/// A second type of session in the same application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admin(
    /// Who it is.
    pub String,
);

/// The application's logic, in the engine's types, so that a framework's application has none of its own.
#[derive(Clone, Debug)]
pub struct TestApp {
    /// The sessions that nearly everything here is about.
    pub sessions: Sessions<Data>,
    /// The second type of session.
    pub admins: Sessions<Admin>,
    /// Other sessions of the first type.
    pub apart: Sessions<Data>,
    /// Where the `slow-` actions can be held up, between reading and writing.
    pub(crate) work: Gate,
    /// Where the streamed body can be held up, after its first piece.
    pub(crate) body: Gate,
    /// A session kept beyond its request.
    pub(crate) parked: Arc<Mutex<Option<CurrentSession<Data>>>>,
}

impl TestApp {
    /// Does what the name of the action says with a loaded session.
    ///
    /// # Errors
    /// What the verb answered, or the application's own.
    ///
    /// # Panics
    /// If the action is to, or does not exist.
    pub async fn current(
        &self,
        action: &str,
        session: &CurrentSession<Data>,
        argument: &str,
    ) -> Result<Answer, Failure> {
        // Applications log what they are given.
        tracing::trace!(
            ?session,
            id = ?session.id(),
            record = ?session.record(),
            csrf = ?session.csrf_token(),
            "a request"
        );
        if let Some(action) = action.strip_prefix("slow-") {
            // `update` waits inside its closure, which is between its reading and its writing.
            if action != "update" {
                self.work.pass().await;
            }
        }
        match action.strip_prefix("slow-").unwrap_or(action) {
            "read" => {}
            "read-with" => return Ok(with_fields(Answer::text(describe(session)), argument)),
            "reload" => session.reload().await?,
            "save" => session.save(next(session, argument)).await?,
            "overwrite" => session.overwrite(next(session, argument)).await?,
            "update" => {
                let change = async |mut data: Data| {
                    self.work.pass().await;
                    data.count += 1;
                    data
                };
                session.update_async(change).await?;
            }
            "work" => {
                let pause = Duration::from_millis(argument.parse().expect("milliseconds"));
                let work = async |mut data: Data| {
                    tokio::time::sleep(pause).await;
                    data.count += 1;
                    data
                };
                session.update_async(work).await?;
            }
            "update-or-default" => session.update_or_default(|data| data.count += 1).await?,
            "resave" => session.resave(next(session, argument)).await?,
            "resave-for" => {
                let fresh = session.resave(next(session, "ada"));
                fresh.max_age(seconds(argument)).await?;
            }
            "resave-idle" => {
                let fresh = session.resave(next(session, "ada"));
                fresh.idle_timeout(seconds(argument)).await?;
            }
            "resave-browser-session" => {
                session
                    .resave(next(session, "ada"))
                    .browser_session()
                    .await?;
            }
            "resave-with" => {
                session.resave(next(session, "ada")).await?;
                return Ok(with_fields(Answer::text("ok"), argument));
            }
            "resave-redirect" => {
                session.resave(next(session, argument)).await?;
                return Ok(Answer::text("").status(303).field("location", "/home"));
            }
            "resave-fail" => {
                session.resave(next(session, argument)).await?;
                return Err(Failure::Own(418));
            }
            "resave-panic" => {
                session.resave(next(session, argument)).await?;
                panic!("the handler panics, as this scenario wants");
            }
            "panic-with-all" => panic!(
                "this panic shows {session:?}, {:?}, {:?}, {:?}, {:?} and {self:?}",
                session.id(),
                session.record(),
                session.csrf_token(),
                session.verify_csrf_token(argument),
            ),
            "update-panic" => {
                let update = session.update(|_| panic!("the closure panics, as wanted"));
                update.await?;
            }
            "rotate" => session.rotate().await?,
            "rotate-twice" => {
                session.rotate().await?;
                session.rotate().await?;
            }
            "destroy" => session.destroy().await?,
            "logout" => session.logout().await?,
            "destroy-save" => {
                session.destroy().await?;
                session.save(next(session, argument)).await?;
            }
            "logout-save" => {
                session.logout().await?;
                session.save(next(session, argument)).await?;
            }
            "save-logout" => {
                session.save(next(session, argument)).await?;
                session.logout().await?;
            }
            "save-destroy" => {
                session.save(next(session, argument)).await?;
                session.destroy().await?;
            }
            "csrf" => {
                let token = session.csrf_token()?;
                return Ok(Answer::text(
                    token.as_ref().map_or("none", |token| token.as_str()),
                ));
            }
            "csrf-check" => {
                let good = session.verify_csrf_token(argument);
                return Ok(Answer::text(if good { "good" } else { "bad" }));
            }
            "park" => {
                let mut parked = self.parked.lock().expect("nothing panics under it");
                *parked = Some(session.clone());
            }
            "stream" => return self.stream(session, argument).await,
            other => {
                let answer = self.account(other, session, argument).await?;
                return Ok(answer.unwrap_or_else(|| panic!("no action is called {other}")));
            }
        }
        Ok(Answer::text(describe(session)))
    }

    /// Does what the name of the action says with a session that was not loaded.
    ///
    /// # Errors
    /// What the verb answered.
    ///
    /// # Panics
    /// If the action does not exist.
    pub async fn lazy(
        &self,
        action: &str,
        session: &LazySession<Data>,
        argument: &str,
    ) -> Result<Answer, Failure> {
        match action {
            "ignore" => {}
            "read" => return Ok(Answer::text(describe(&session.load().await?))),
            "destroy" => session.destroy().await?,
            "logout" => session.logout().await?,
            "resave" => session.resave(named(argument)).await?,
            other => panic!("no lazy action is called {other}"),
        }
        Ok(Answer::text("ok"))
    }

    /// Works with two sessions of different types at once.
    ///
    /// # Errors
    /// What the verb answered.
    ///
    /// # Panics
    /// If the action does not exist.
    pub async fn two(
        &self,
        action: &str,
        session: &CurrentSession<Data>,
        admin: &CurrentSession<Admin>,
        argument: &str,
    ) -> Result<Answer, Failure> {
        match action {
            "read" => {}
            "save" => {
                session.save(next(session, argument)).await?;
                admin.save(Admin(argument.to_owned())).await?;
            }
            "logout-admin" => admin.logout().await?,
            other => panic!("no action on two sessions is called {other}"),
        }
        let admin = admin.data().map(|admin| admin.0.clone());
        let admin = admin.unwrap_or_else(|| "nobody".to_owned());
        Ok(Answer::text(format!("{} and {admin}", describe(session))))
    }

    /// What a middleware does before the handler: counts. With the argument `resave and refuse` it signs
    /// in and then refuses to go on.
    ///
    /// # Errors
    /// What the verb answered, or the refusal.
    pub async fn guard(&self, session: &CurrentSession<Data>, refuse: bool) -> Result<(), Failure> {
        if refuse {
            session.resave(next(session, "ada")).await?;
            return Err(Failure::Own(403));
        }
        session.update_or_default(|data| data.count += 1).await?;
        Ok(())
    }

    /// Whether the middleware is asked to refuse; the `action` is the last part of the path.
    #[must_use]
    pub fn guard_refuses(path: &str) -> bool {
        path.ends_with("/refuse")
    }

    /// What happens before a connection is upgraded.
    ///
    /// # Errors
    /// What the verb answered.
    pub async fn before_socket(&self, session: &CurrentSession<Data>) -> Result<(), Failure> {
        Ok(session.update_or_default(|data| data.count += 1).await?)
    }

    /// What the socket says: the session works on, but it cannot get another id any more.
    pub async fn on_socket(&self, session: &CurrentSession<Data>) -> String {
        let updated = session.update(|data| data.count += 1).await;
        let resaved = session.resave(named("socket")).await;
        format!(
            "{} {} {}",
            describe(session),
            outcome(&updated),
            outcome(&resaved)
        )
    }

    async fn stream(
        &self,
        session: &CurrentSession<Data>,
        argument: &str,
    ) -> Result<Answer, Failure> {
        session.resave(next(session, argument)).await?;
        let (session, gate) = (session.clone(), self.body.clone());
        Ok(Answer::stream(async move |sender| {
            // A client that hung up is none of the session's business.
            let _ = sender.send(Bytes::from_static(b"first ")).await;
            gate.pass().await;
            let updated = session.update(|data| data.count += 1).await;
            let resaved = session.resave(named("late")).await;
            let last = format!("{} {}", outcome(&updated), outcome(&resaved));
            let _ = sender.send(Bytes::from(last)).await;
        }))
    }
}

/// The fields of `lines`, appended.
fn with_fields(mut answer: Answer, lines: &str) -> Answer {
    for line in lines.lines() {
        let (name, value) = line.split_once(": ").expect("a line is `Name: value`");
        answer = answer.field(name, value);
    }
    answer
}

fn named(name: &str) -> Data {
    Data {
        name: name.to_owned(),
        count: 0,
    }
}

/// What a save writes: the name, and one more write than before.
fn next(session: &CurrentSession<Data>, name: &str) -> Data {
    Data {
        name: name.to_owned(),
        count: session.data().map_or(0, |data| data.count + 1),
    }
}

fn describe(session: &CurrentSession<Data>) -> String {
    match session.data() {
        Some(data) => format!("{}:{}", data.name, data.count),
        None => "nobody".to_owned(),
    }
}

fn outcome(result: &Result<(), Error>) -> String {
    match result {
        Ok(()) => "ok".to_owned(),
        Err(error) => format!("{:?}", error.kind()),
    }
}

fn seconds(text: &str) -> Duration {
    Duration::from_secs(text.parse().expect("the argument is a number of seconds"))
}
