//! Exchanges whose requests are answered, kept by the thread for its next ones: one heap allocation less for each
//! request.
//!
//! Only what nobody else has is kept, and only emptied: the head, the data, the ids and the configuration are
//! dropped when the request is over, as if nothing were kept.

use std::any::Any;
use std::cell::RefCell;
use std::sync::Arc;

use crate::Sessions;
use crate::request::{Exchange, RequestHead};

/// For each type of session. A thread that has more requests in flight at once allocates for the others.
const MOST: usize = 32;

thread_local! {
    /// Of each `T` a `Vec<Arc<Exchange<T>>>`. Few programs have more than two.
    static SPARE: RefCell<Vec<Box<dyn Any>>> = const { RefCell::new(Vec::new()) };
}

/// An exchange for a new request.
#[inline]
pub(crate) fn begin<T: Send + Sync + 'static, H: RequestHead>(
    sessions: Sessions<T>,
    head: H,
) -> Arc<Exchange<T>> {
    let Some(mut exchange) = with_spare(Vec::pop).flatten() else {
        return Exchange::new(sessions, head);
    };
    let kept = Arc::get_mut(&mut exchange).expect("what is kept is nobody else's");
    match kept.use_for(sessions, head) {
        Ok(()) => exchange,
        Err((sessions, head)) => Exchange::new(sessions, head),
    }
}

/// Keeps an exchange whose request is answered, unless somebody else still has it.
#[inline]
pub(super) fn keep<T: Send + Sync + 'static>(mut exchange: Arc<Exchange<T>>) {
    let Some(done) = Arc::get_mut(&mut exchange) else {
        return;
    };
    // Before the list is borrowed: dropping the application's data may run anything, even another request.
    done.clear();
    with_spare(|spare| {
        if spare.len() < MOST {
            spare.push(exchange);
        }
    });
}

/// `None` while the thread ends.
#[inline]
fn with_spare<T: Send + Sync + 'static, R>(
    with: impl FnOnce(&mut Vec<Arc<Exchange<T>>>) -> R,
) -> Option<R> {
    let of_all = |all: &RefCell<Vec<Box<dyn Any>>>| {
        let mut all = all.borrow_mut();
        if let Some(spare) = all.iter_mut().find_map(|spare| spare.downcast_mut()) {
            return with(spare);
        }
        let mut spare = Vec::new();
        let answer = with(&mut spare);
        all.push(Box::new(spare));
        answer
    };
    SPARE.try_with(of_all).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{LazySession, MemoryStore, Secret};

    type Shared = Arc<&'static str>;

    fn sessions() -> Sessions<Shared> {
        let secret = Secret::generate().unwrap();
        let sessions = Sessions::builder(MemoryStore::new(), secret);
        sessions.build().unwrap()
    }

    fn address(request: &LazySession<Shared>) -> *const () {
        Arc::as_ptr(request.exchange()).cast()
    }

    async fn signed_in(sessions: &Sessions<Shared>, data: Shared) -> String {
        let request = sessions.for_request([""]);
        request.resave(data).await.unwrap();
        let sent = request.finish().await.into_set_cookie().unwrap();
        sent.split(';').next().unwrap().to_owned()
    }

    #[tokio::test]
    async fn the_next_request_finds_nothing_of_the_one_before() {
        let sessions = sessions();
        let whatever_a_request_does = async |request: &LazySession<Shared>, verb| match verb {
            0 => {}
            1 => drop(request.load().await.unwrap()),
            2 => request.load().await.unwrap().rotate().await.unwrap(),
            3 => request.resave(Arc::new("eve")).await.unwrap(),
            4 => request.destroy().await.unwrap(),
            _ => request.logout().await.unwrap(),
        };
        for verb in 0..6 {
            for answered in [false, true] {
                let cookie = signed_in(&sessions, Arc::new("ada")).await;
                let request = sessions.for_request([cookie]);
                whatever_a_request_does(&request, verb).await;
                if answered {
                    let _ = request.finish().await;
                }
                let before = address(&request);
                request.done();

                let next = sessions.for_request([String::new()]);
                assert_eq!(address(&next), before, "its memory is used again");
                let unread = next.respond_now().unwrap();
                assert!(unread.set_cookie().is_none() && !unread.vary());
                next.done();

                let next = sessions.for_request([String::new()]);
                let session = next.load().await.unwrap();
                assert!(session.data().is_none() && session.id().is_none());
                assert!(!session.is_new() && session.handle().is_none());
                // It is not held to be answered already, nor signed out, nor ended.
                session.save(Arc::new("bob")).await.unwrap();
                assert!(next.finish().await.set_cookie().is_some());
                let nobody = sessions.for_request([String::new()]);
                nobody.logout().await.unwrap();
                assert!(nobody.finish().await.set_cookie().is_none());
            }
        }
    }

    #[tokio::test]
    async fn what_somebody_still_has_is_not_used_again() {
        let sessions = sessions();
        let cookie = signed_in(&sessions, Arc::new("ada")).await;
        let request = sessions.for_request([cookie]);
        let session = request.load().await.unwrap();
        let kept = request.clone();
        let before = address(&request);
        request.done();
        let next = sessions.for_request([String::new()]);
        assert_ne!(address(&next), before);
        assert!(next.load().await.unwrap().data().is_none());
        assert_eq!(**session.data().unwrap(), "ada");
        kept.done();
        assert_ne!(address(&sessions.for_request([String::new()])), before);
        assert_eq!(**session.data().unwrap(), "ada");
    }

    #[tokio::test]
    async fn a_spare_one_holds_nothing_back() {
        let sessions = sessions();
        let data: Shared = Arc::new("ada");
        let head = [Arc::<str>::from("sid=1")];
        let request = sessions.for_request([Head(Arc::clone(&head[0]))]);
        request.resave(Arc::clone(&data)).await.unwrap();
        let _ = request.finish().await;
        let configuration = Arc::downgrade(&sessions.inner);
        sessions.clear().await.unwrap();
        request.done();
        drop(sessions);
        assert_eq!(Arc::strong_count(&head[0]), 1);
        assert!(configuration.upgrade().is_none());
        assert_eq!(Arc::strong_count(&data), 1);
    }

    struct Head(Arc<str>);

    impl AsRef<[u8]> for Head {
        fn as_ref(&self) -> &[u8] {
            self.0.as_bytes()
        }
    }

    #[test]
    fn a_head_of_another_type_gets_a_place_of_its_own() {
        let sessions = sessions();
        sessions.for_request([String::new()]).done();
        let other = sessions.for_request(vec![b"x=1".to_vec()]);
        let mut seen = Vec::new();
        other
            .exchange()
            .head()
            .id_fields(&mut |field| seen.push(field.to_vec()));
        assert_eq!(seen, [b"x=1"]);
    }

    #[test]
    fn a_thread_keeps_so_many_and_no_more() {
        let sessions = sessions();
        let all: Vec<_> = (0..2 * MOST).map(|_| sessions.for_request([""])).collect();
        all.into_iter().for_each(LazySession::done);
        let kept = with_spare(|spare: &mut Vec<Arc<Exchange<Shared>>>| spare.len());
        assert_eq!(kept, Some(MOST));
    }

    /// Begins a request of its own when it is dropped.
    struct Busy(Option<Sessions<Busy>>);

    impl Drop for Busy {
        fn drop(&mut self) {
            if let Some(sessions) = self.0.take() {
                sessions.for_request([""]).done();
            }
        }
    }

    #[tokio::test]
    async fn data_that_uses_sessions_while_it_is_dropped_may_do_so() {
        let secret = Secret::generate().unwrap();
        let sessions: Sessions<Busy> = Sessions::builder(MemoryStore::new(), secret)
            .build()
            .unwrap();
        let request = sessions.for_request([""]);
        request.resave(Busy(Some(sessions.clone()))).await.unwrap();
        let _ = request.finish().await;
        sessions.clear().await.unwrap();
        request.done();
        let kept = with_spare(|spare: &mut Vec<Arc<Exchange<Busy>>>| spare.len());
        assert_eq!(kept, Some(2));
    }
}
