use cloakroom_store::{Announcements, Ending, Listening};

/// The announcer of an engine that has none: there is no value of it.
#[derive(Clone, Copy, Debug)]
pub enum Silent {}

impl Announcements for Silent {
    fn listen(&self, _: Box<dyn Fn(Ending) + Send + Sync>) -> Listening {
        match *self {}
    }
}
