use std::sync::Arc;
use std::time::Duration;

use super::wire::{Reply, Request, Verb};
use super::{Application, Child};

/// No fault that is injected lasts as long. A store that cannot answer is to say so within its time-out.
const PATIENCE: Duration = Duration::from_secs(60);

/// The way to an application. Clones lead to the same one.
#[derive(Clone, Debug)]
pub(crate) enum Link {
    Here(Arc<Application>),
    Child(Arc<Child>),
}

/// Why there is no reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lost {
    Killed,
    /// Nothing was killed, and nothing came.
    Silent,
}

impl Link {
    pub(crate) async fn ask(&self, request: u64, verb: Verb) -> Result<Reply, Lost> {
        let request = Request { request, verb };
        match self {
            Self::Here(application) => Ok(application.answer(request).await),
            Self::Child(child) => {
                let reply = child.send(request);
                match tokio::time::timeout(PATIENCE, reply).await {
                    Ok(Ok(reply)) => Ok(reply),
                    Ok(Err(_)) => Err(Lost::Killed),
                    Err(_) => Err(Lost::Silent),
                }
            }
        }
    }
}
