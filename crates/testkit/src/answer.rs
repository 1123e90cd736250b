use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_core::Stream;
use http_body::Frame;
use tokio::sync::mpsc;

/// What a handler answers; the framework's application turns it into a response.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// Fields to be appended, not set: there may be several of one name.
    pub fields: Vec<(String, String)>,
    /// The body.
    pub body: Body,
}

/// A body, whole or in pieces.
#[derive(Debug)]
pub enum Body {
    /// All of it.
    Text(String),
    /// To be streamed as it comes.
    Chunks(Chunks),
}

/// Why a handler did not answer; the framework's application turns it into its error type, and that into a
/// response.
#[derive(Debug)]
pub enum Failure {
    /// A verb failed: to be answered as the adapter answers such errors.
    Session(cloakroom::Error),
    /// An error of the application's own, with this status.
    Own(u16),
}

impl Answer {
    /// A 200 with that text.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self {
            status: 200,
            fields: Vec::new(),
            body: Body::Text(text.into()),
        }
    }

    /// The same with another status.
    #[must_use]
    pub fn status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    /// The same with one more field.
    #[must_use]
    pub fn field(mut self, name: &str, value: &str) -> Self {
        self.fields.push((name.to_owned(), value.to_owned()));
        self
    }

    /// A 200 whose body comes from `produce`, which runs while it is sent.
    #[must_use]
    pub fn stream<F>(produce: impl FnOnce(mpsc::Sender<Bytes>) -> F) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let (sender, receiver) = mpsc::channel(1);
        tokio::spawn(produce(sender));
        Self {
            body: Body::Chunks(Chunks(receiver)),
            ..Self::text("")
        }
    }
}

impl From<cloakroom::Error> for Failure {
    fn from(error: cloakroom::Error) -> Self {
        Self::Session(error)
    }
}

/// The pieces of a streamed body, for frameworks that want a stream and for those that want a body.
#[derive(Debug)]
pub struct Chunks(mpsc::Receiver<Bytes>);

impl Stream for Chunks {
    type Item = Result<Bytes, Infallible>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll_recv(context).map(|chunk| chunk.map(Ok))
    }
}

impl http_body::Body for Chunks {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.poll_next(context)
            .map(|chunk| chunk.map(|chunk| chunk.map(Frame::data)))
    }
}
