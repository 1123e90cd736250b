//! What sessions are, in as few words as possible.

use cloakroom::ErrorKind;

use crate::story::Verb;

pub(crate) const MAX_AGE: u64 = 3_600;
pub(crate) const IDLE_TIMEOUT: u64 = 600;

/// A session is a number here.
#[derive(Clone, Copy, Debug)]
struct Session {
    data: u32,
    /// Differs after every write.
    version: u32,
    born: u64,
    seen: u64,
}

/// All sessions that there ever were; those that were ended are none any more.
#[derive(Debug, Default)]
pub(crate) struct Model {
    sessions: Vec<Option<Session>>,
    idle_timeout: bool,
    pub(crate) now: u64,
    writes: u32,
}

/// One request.
#[derive(Debug)]
pub(crate) struct Request {
    brought: Option<usize>,
    knows: Knows,
    /// The session whose id it minted.
    fresh: Option<usize>,
    signed_out: bool,
    wrote: bool,
    responded: bool,
}

/// What a request knows of its session.
#[derive(Clone, Copy, Debug)]
enum Knows {
    NotYet,
    Nobody,
    Live(usize, Session),
    /// Ended by somebody else.
    Gone,
}

/// What a response does to the browser's cookie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cookie {
    Keep,
    Remove,
    /// The cookie of that session.
    Send(usize),
}

impl Request {
    /// With the cookie of that session.
    pub(crate) fn with(brought: Option<usize>) -> Self {
        Self {
            brought,
            knows: Knows::NotYet,
            fresh: None,
            signed_out: false,
            wrote: false,
            responded: false,
        }
    }

    pub(crate) fn is_read(&self) -> bool {
        !matches!(self.knows, Knows::NotYet)
    }

    pub(crate) fn data(&self) -> Option<u32> {
        match self.knows {
            Knows::Live(_, session) => Some(session.data),
            _ => None,
        }
    }
}

impl Model {
    pub(crate) fn new(idle_timeout: bool) -> Self {
        Self {
            idle_timeout,
            ..Self::default()
        }
    }

    fn live(&mut self, id: usize) -> Option<&mut Session> {
        let (now, idle) = (self.now, self.idle_timeout);
        let live =
            |it: &&mut Session| now < it.born + MAX_AGE && (!idle || now < it.seen + IDLE_TIMEOUT);
        self.sessions[id].as_mut().filter(live)
    }

    pub(crate) fn stored(&mut self, id: usize) -> Option<u32> {
        self.live(id).map(|session| session.data)
    }

    pub(crate) fn count(&mut self) -> u64 {
        let ids = 0..self.sessions.len();
        ids.filter(|id| self.live(*id).is_some()).count() as u64
    }

    pub(crate) fn clear(&mut self) {
        self.sessions.fill(None);
    }

    pub(crate) fn load(&mut self, request: &mut Request) {
        if let Knows::NotYet = request.knows {
            let found = request.brought.and_then(|id| Some((id, *self.live(id)?)));
            request.knows = found.map_or(Knows::Nobody, |(id, session)| Knows::Live(id, session));
        }
    }

    pub(crate) fn verb(&mut self, request: &mut Request, verb: Verb) -> Result<(), ErrorKind> {
        match (verb, request.knows) {
            (Verb::Resave(_), _) if request.responded => return Err(ErrorKind::ResponseStarted),
            (Verb::Resave(data), _) => {
                self.end(request);
                self.mint(request, data, self.now)?;
            }
            (Verb::Destroy, _) => self.end(request),
            (Verb::Logout, _) => {
                self.end(request);
                request.signed_out = request.brought.is_some();
            }
            (_, Knows::Gone) => return Err(ErrorKind::Gone),
            (Verb::Reload, Knows::Live(id, _)) => {
                let session = self.live_or_gone(request, id)?;
                request.knows = Knows::Live(id, session);
            }
            (Verb::Reload, _) => {}
            (Verb::Save(data) | Verb::Overwrite(data), Knows::Nobody) => {
                self.mint(request, data, self.now)?;
            }
            (_, Knows::Nobody | Knows::NotYet) => return Err(ErrorKind::NoSession),
            (Verb::Save(data), Knows::Live(id, known)) => {
                if self.live_or_gone(request, id)?.version != known.version {
                    return Err(ErrorKind::Conflict);
                }
                self.write(request, id, data);
            }
            (Verb::Overwrite(data), Knows::Live(id, _)) => {
                self.live_or_gone(request, id)?;
                self.write(request, id, data);
            }
            (Verb::Update(more), Knows::Live(id, _)) => {
                let data = self.live_or_gone(request, id)?.data;
                self.write(request, id, data + more);
            }
            (Verb::Rotate, Knows::Live(..)) if request.responded => {
                return Err(ErrorKind::ResponseStarted);
            }
            (Verb::Rotate, Knows::Live(id, _)) => {
                let session = self.live_or_gone(request, id)?;
                self.end(request);
                self.mint(request, session.data, session.born)?;
            }
        }
        Ok(())
    }

    /// The response's headers leave; the request may go on.
    pub(crate) fn respond(&mut self, request: &mut Request) -> Cookie {
        if let Knows::Live(id, known) = request.knows
            && self.idle_timeout
            && !request.wrote
            && self.now >= known.seen + 60
        {
            let now = self.now;
            if let Some(session) = self.live(id) {
                session.seen = now;
            }
        }
        request.responded = true;
        match (request.fresh, request.signed_out) {
            (Some(id), _) => Cookie::Send(id),
            (None, true) => Cookie::Remove,
            (None, false) => Cookie::Keep,
        }
    }

    fn live_or_gone(&mut self, request: &mut Request, id: usize) -> Result<Session, ErrorKind> {
        let live = self.live(id).copied();
        if live.is_none() {
            (request.knows, request.fresh) = (Knows::Gone, None);
        }
        live.ok_or(ErrorKind::Gone)
    }

    fn end(&mut self, request: &mut Request) {
        let ended = match request.knows {
            Knows::NotYet => request.brought,
            Knows::Live(id, _) => Some(id),
            Knows::Nobody | Knows::Gone => None,
        };
        if let Some(id) = ended {
            self.sessions[id] = None;
        }
        (request.knows, request.fresh) = (Knows::Nobody, None);
    }

    fn mint(&mut self, request: &mut Request, data: u32, born: u64) -> Result<(), ErrorKind> {
        if request.responded {
            return Err(ErrorKind::ResponseStarted);
        }
        let id = self.sessions.len();
        self.sessions.push(Some(Session {
            data,
            version: 0,
            born,
            seen: self.now,
        }));
        (request.fresh, request.signed_out) = (Some(id), false);
        self.write(request, id, data);
        Ok(())
    }

    fn write(&mut self, request: &mut Request, id: usize, data: u32) {
        self.writes += 1;
        let (version, seen) = (self.writes, self.now);
        if let Some(session) = &mut self.sessions[id] {
            *session = Session {
                data,
                version,
                seen,
                ..*session
            };
            request.knows = Knows::Live(id, *session);
            request.wrote = true;
        }
    }
}
