use std::convert::Infallible;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use axum::body::Body;
use http::{HeaderValue, Request, Response};
use tower::util::BoxCloneSyncService;
use tower::{Layer, Service as _};

use super::{App, Jar};

pub type Service = BoxCloneSyncService<Request<Body>, Response<Body>, Infallible>;

/// The layer goes around the whole router, so that its own cost is measured and not that of boxing routes.
pub fn layered<L, S>(router: axum::Router, layer: L) -> Service
where
    L: Layer<axum::Router, Service = S>,
    S: tower::Service<Request<Body>, Response = Response<Body>, Error = Infallible>
        + Clone + Send + Sync + 'static,
    S::Future: Send,
{
    BoxCloneSyncService::new(layer.layer(router))
}

/// A tower service in this process.
pub struct TowerApp {
    service: Service,
    request: Option<Request<Body>>,
    response: Option<Response<Body>>,
}

impl TowerApp {
    pub fn new(service: Service) -> Self {
        Self { service, request: None, response: None }
    }
}

impl App for TowerApp {
    fn prepare(&mut self, path: &'static str, cookie: Option<&HeaderValue>) {
        let mut request = Request::builder().uri(path).header("host", "localhost");
        if let Some(cookie) = cookie {
            request = request.header("cookie", cookie);
        }
        self.request = Some(request.body(Body::empty()).expect("a request"));
    }

    fn serve(&mut self) {
        let request = self.request.take().expect("it was prepared");
        let mut context = Context::from_waker(Waker::noop());
        assert!(self.service.poll_ready(&mut context).is_ready());
        let mut answer = pin!(self.service.call(request));
        self.response = loop {
            // Everything is in memory: waiting is for another thread that holds a lock.
            if let Poll::Ready(answer) = answer.as_mut().poll(&mut context) {
                break answer.ok();
            }
            std::hint::spin_loop();
        };
    }

    fn finish(&mut self, jar: &mut Jar) {
        let response = self.response.take().expect("it was served");
        assert!(response.status().is_success(), "{}", response.status());
        for field in response.headers().get_all("set-cookie") {
            jar.add(field.to_str().expect("a cookie is ASCII"));
        }
    }
}
