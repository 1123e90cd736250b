use std::fmt;

use crate::Event;

pub(super) fn log(event: &Event<'_>) {
    match event {
        Event::Created { handle } => {
            tracing::debug!(target: "cloakroom", session = %handle, "session created");
        }
        Event::NotFound { handle } => {
            tracing::debug!(target: "cloakroom", session = %handle, "no such session");
        }
        Event::Expired { handle } => {
            tracing::debug!(target: "cloakroom", session = %handle, "session expired");
        }
        Event::InvalidCookie => {
            tracing::debug!(target: "cloakroom", "session cookie without a valid signature");
        }
        Event::AmbiguousCookies => {
            tracing::warn!(target: "cloakroom", "several session cookies, or too many cookies: none used");
        }
        Event::Rotated { from, to } => {
            tracing::debug!(target: "cloakroom", session = %to, %from, "session rotated");
        }
        Event::Touched { handle } => {
            tracing::trace!(target: "cloakroom", session = %handle, "session touched");
        }
        Event::Destroyed { handle } => {
            tracing::debug!(target: "cloakroom", session = %handle, "session destroyed");
        }
        Event::Evicted { handle } => {
            tracing::debug!(target: "cloakroom", session = %handle, "session ended, its owner has too many");
        }
        Event::TooManySessions => {
            tracing::debug!(target: "cloakroom", "sign-in refused, its user has too many sessions");
        }
        Event::ReuseDetected { handle } => {
            tracing::warn!(target: "cloakroom", session = %handle, "a renewed id was used again: session ended");
        }
        Event::OwnerDestroyed { count } => {
            tracing::debug!(target: "cloakroom", count, "sessions of one owner destroyed");
        }
        Event::Cleared { count } => {
            tracing::info!(target: "cloakroom", count, "all sessions destroyed");
        }
        Event::Purged { count } => {
            tracing::debug!(target: "cloakroom", count, "expired sessions purged");
        }
        Event::Gone { handle } => {
            tracing::debug!(target: "cloakroom", session = %handle, "session ended before it was written");
        }
        Event::Conflict { handle } => {
            tracing::debug!(target: "cloakroom", session = %handle, "another request wrote the session first");
        }
        Event::Undecodable { handle, error } => {
            tracing::warn!(target: "cloakroom", session = %handle, error = %causes(error), "stored session does not decode");
        }
        Event::StoreFailed { error } => {
            tracing::error!(target: "cloakroom", error = %causes(error), "session store failed");
        }
    }
}

/// An error with all its causes in one line.
pub(crate) fn causes(error: &dyn std::error::Error) -> impl fmt::Display {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
