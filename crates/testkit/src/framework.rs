use std::net::TcpListener;

use tokio::sync::oneshot;

use crate::TestApp;

/// A web framework with its adapter, as the scenarios see it. To test another one, write this and call
/// [`scenarios!`](crate::scenarios!) with it.
///
/// The application has these routes, each for every method. `argument` is the request's body as text; what
/// the functions answer, an [`Answer`](crate::Answer) or a [`Failure`](crate::Failure), becomes the response,
/// with the adapter's own error type for [`Failure::Session`](crate::Failure::Session).
///
/// | route | takes | answers |
/// |---|---|---|
/// | `/ignore` | nothing | `200 ignored` |
/// | `/current/{action}` | `CurrentSession<Data>` | [`TestApp::current`] |
/// | `/lazy/{action}` | `LazySession<Data>` | [`TestApp::lazy`] |
/// | `/data` | `SessionData<Data>`, which refuses with 401 | the data's `name` |
/// | `/optional` | `Option<SessionData<Data>>` | the data's `name`, or `nobody` |
/// | `/two/{action}` | `CurrentSession<Data>` and `CurrentSession<Admin>` | [`TestApp::two`] |
/// | `/guarded/{action}` | as `/current`, behind a middleware of the framework's usual kind, which takes `CurrentSession<Data>` and calls [`TestApp::guard`]; its failure is returned as that middleware's error | [`TestApp::current`] |
/// | `/apart/{action}` | as `/current`, behind a layer of [`TestApp::apart`] | [`TestApp::current`] |
/// | `/socket` | `CurrentSession<Data>` | a WebSocket, after [`TestApp::before_socket`]; then one text message, [`TestApp::on_socket`], and the end |
/// | `/missing` | `CurrentSession<Unlayered>`, for which there is no layer | never a success |
/// | `/missing-optional` | `Option<SessionData<Unlayered>>` | never a success |
///
/// Around all of them go the session layers of [`TestApp::sessions`] and [`TestApp::admins`]; between the
/// middleware and the handler of `/guarded` that of [`TestApp::sessions`] once more, which has to step back.
pub trait Framework: 'static {
    /// What the log must say where the layer is missing, so that the developer knows what to add. `None` for a
    /// stack without extractors, where neither `/missing` nor `/missing-optional` can exist.
    const MISSING_LAYER_HINT: Option<&'static str>;

    /// Serves the application until it is told to stop; then ends at once, however many connections are open.
    /// Runs on a thread of its own, so it starts the runtime that it needs. Speaks HTTP/1.1 and, on the same
    /// port, HTTP/2 with prior knowledge. The listener is non-blocking.
    fn serve(listener: TcpListener, app: TestApp, stop: Stop);
}

/// Tells a server to stop.
#[derive(Debug)]
pub struct Stop(pub(crate) oneshot::Receiver<()>);

impl Stop {
    /// Waits until the scenario is over.
    pub async fn asked(self) {
        // An error means that the scenario is gone, which says the same.
        let _ = self.0.await;
    }
}

/// Session data for which no application has a layer.
#[derive(Clone, Debug)]
pub struct Unlayered;
