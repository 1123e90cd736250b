use std::net::TcpListener;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use actix_session::SessionMiddleware as TheirMiddleware;
use actix_session::storage::CookieSessionStore;
use actix_web::body::MessageBody;
use actix_web::cookie::Key;
use actix_web::dev::{Service, ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::{App as ActixWeb, Error, HttpServer, test, web};
use cloakroom_actix::{CurrentSession, LazySession, SessionData, SessionMiddleware};
use http::HeaderValue;

use super::{App, Jar, Settings, Subject};
use crate::case::User;

type Request = actix_http::Request;

/// An actix-web service in this process.
struct ActixApp<S, B> {
    service: S,
    request: Option<Request>,
    response: Option<ServiceResponse<B>>,
}

pub async fn app(subject: Subject, settings: &Settings) -> Box<dyn App> {
    match subject {
        Subject::BareActix => boxed(ActixWeb::new().configure(bare)).await,
        Subject::CloakroomActix => {
            let sessions = super::cloakroom::sessions(super::memory_store(settings), settings);
            let middleware = SessionMiddleware::new(sessions);
            boxed(ActixWeb::new().wrap(middleware).configure(ours)).await
        }
        Subject::ActixSession => {
            let middleware = TheirMiddleware::new(CookieSessionStore::default(), Key::generate());
            boxed(ActixWeb::new().wrap(middleware).configure(theirs)).await
        }
        other => unreachable!("{other:?} is not on actix"),
    }
}

async fn boxed<T, B>(app: ActixWeb<T>) -> Box<dyn App>
where
    T: ServiceFactory<
            ServiceRequest,
            Config = (),
            Response = ServiceResponse<B>,
            Error = Error,
            InitError = (),
        > + 'static,
    B: MessageBody + 'static,
{
    let service = test::init_service(app).await;
    Box::new(ActixApp { service, request: None, response: None })
}

/// Answers over HTTP until the process ends.
pub async fn serve(subject: Subject, settings: &Settings, listener: TcpListener) {
    let sessions = super::cloakroom::sessions(super::memory_store(settings), settings);
    let key = Key::generate();
    let server = match subject {
        Subject::BareActix => {
            HttpServer::new(|| ActixWeb::new().configure(bare)).workers(2).listen(listener).expect("bound").run()
        }
        Subject::CloakroomActix => HttpServer::new(move || {
            ActixWeb::new().wrap(SessionMiddleware::new(sessions.clone())).configure(ours)
        })
        .workers(2)
        .listen(listener)
        .expect("bound")
        .run(),
        Subject::ActixSession => HttpServer::new(move || {
            let middleware = TheirMiddleware::new(CookieSessionStore::default(), key.clone());
            ActixWeb::new().wrap(middleware).configure(theirs)
        })
        .workers(2)
        .listen(listener)
        .expect("bound")
        .run(),
        other => unreachable!("{other:?} is not on actix"),
    };
    server.await.expect("it serves");
}

impl<S, B> App for ActixApp<S, B>
where
    S: Service<Request, Response = ServiceResponse<B>, Error = Error>,
{
    fn prepare(&mut self, path: &'static str, cookie: Option<&HeaderValue>) {
        let mut request = test::TestRequest::get().uri(path).insert_header(("host", "localhost"));
        if let Some(cookie) = cookie {
            request = request.insert_header(("cookie", cookie.as_bytes()));
        }
        self.request = Some(request.to_request());
    }

    fn serve(&mut self) {
        let request = self.request.take().expect("it was prepared");
        let mut context = Context::from_waker(Waker::noop());
        let mut answer = pin!(self.service.call(request));
        self.response = loop {
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

fn bare(config: &mut web::ServiceConfig) {
    for path in ["/ignore", "/read", "/write", "/sign-in"] {
        config.route(path, web::get().to(ok));
    }
}

async fn ok() -> &'static str {
    "ok"
}

fn ours(config: &mut web::ServiceConfig) {
    async fn read(user: SessionData<User>) -> &'static str {
        std::hint::black_box(user.0.id);
        "ok"
    }
    async fn write(session: CurrentSession<User>) -> &'static str {
        let mut user = session.data().map(|user| (*user).clone()).expect("signed in");
        user.visits += 1;
        session.save(user).await.expect("stored");
        "ok"
    }
    async fn sign_in(session: LazySession<User>) -> &'static str {
        session.resave(User::ada()).await.expect("stored");
        "ok"
    }
    config
        .route("/ignore", web::get().to(ok))
        .route("/read", web::get().to(read))
        .route("/write", web::get().to(write))
        .route("/sign-in", web::get().to(sign_in));
}

fn theirs(config: &mut web::ServiceConfig) {
    use actix_session::Session;
    async fn read(session: Session) -> &'static str {
        let user: Option<User> = session.get("user").expect("loaded");
        std::hint::black_box(user.expect("signed in").id);
        "ok"
    }
    async fn write(session: Session) -> &'static str {
        let user: Option<User> = session.get("user").expect("loaded");
        let mut user = user.expect("signed in");
        user.visits += 1;
        session.insert("user", user).expect("kept");
        "ok"
    }
    async fn sign_in(session: Session) -> &'static str {
        session.renew();
        session.insert("user", User::ada()).expect("kept");
        "ok"
    }
    config
        .route("/ignore", web::get().to(ok))
        .route("/read", web::get().to(read))
        .route("/write", web::get().to(write))
        .route("/sign-in", web::get().to(sign_in));
}
