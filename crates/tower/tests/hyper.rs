//! All HTTP scenarios against hyper and tower, without a framework and without extractors.

#![allow(clippy::unwrap_used, reason = "a failure here is a failed test")]

use std::convert::Infallible;

use bytes::Bytes;
use cloakroom::LazySession;
use cloakroom_testkit::{Admin, Answer, Body, Data, Failure, Framework, Stop, TestApp};
use cloakroom_tower::SessionLayer;
use http::{Request, Response, StatusCode};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use tokio::io::AsyncWriteExt;
use tower::{Layer, ServiceBuilder, ServiceExt, service_fn};

type Reply = Response<UnsyncBoxBody<Bytes, Infallible>>;

struct Hyper;

cloakroom_testkit::scenarios!(Hyper);

impl Framework for Hyper {
    const MISSING_LAYER_HINT: Option<&'static str> = None;

    fn serve(listener: std::net::TcpListener, app: TestApp, stop: Stop) {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            tokio::select! {
                () = accept(listener, app) => {}
                () = stop.asked() => {}
            }
        });
        runtime.shutdown_background();
    }
}

async fn accept(listener: tokio::net::TcpListener, app: TestApp) {
    let service = ServiceBuilder::new()
        .layer(SessionLayer::new(app.sessions.clone()))
        .layer(SessionLayer::new(app.admins.clone()))
        .layer(SessionLayer::new(app.sessions.clone()))
        .service(service_fn(move |request| {
            answer_apart(app.clone(), request)
        }));
    loop {
        let (stream, peer) = listener.accept().await.unwrap();
        let service = service.clone();
        // Where the layer looks for it.
        let service = ServiceBuilder::new()
            .map_request(move |mut request: Request<Incoming>| {
                request.extensions_mut().insert(peer);
                request
            })
            .service(service);
        let service = TowerToHyperService::new(service);
        tokio::spawn(async move {
            let server = auto::Builder::new(TokioExecutor::new());
            // An error is a client that hung up or sent garbage.
            let _ = server
                .serve_connection_with_upgrades(TokioIo::new(stream), service)
                .await;
        });
    }
}

/// The routes that have a layer of their own go through it.
async fn answer_apart(app: TestApp, request: Request<Incoming>) -> Result<Reply, Infallible> {
    if !request.uri().path().starts_with("/apart/") {
        return answer(app, request).await;
    }
    let layer = SessionLayer::new(app.apart.clone());
    let apart = layer.layer(service_fn(move |request| answer(app.clone(), request)));
    apart.oneshot(request).await
}

async fn answer(app: TestApp, request: Request<Incoming>) -> Result<Reply, Infallible> {
    Ok(match route(app, request).await {
        Ok(reply) => reply,
        Err(Failure::Own(status)) => empty(StatusCode::from_u16(status).unwrap()),
        Err(Failure::Session(error)) => {
            let mut reply = empty(StatusCode::from_u16(error.status()).unwrap());
            if let Some(after) = error.retry_after() {
                reply
                    .headers_mut()
                    .insert("retry-after", after.as_secs().into());
            }
            reply
        }
    })
}

async fn route(app: TestApp, mut request: Request<Incoming>) -> Result<Reply, Failure> {
    let path = request.uri().path().to_owned();
    let (route, action) = path[1..].split_once('/').unwrap_or((&path[1..], ""));
    let body = request.body_mut().collect().await;
    let body = body.map_err(|_| Failure::Own(400))?.to_bytes();
    let argument = String::from_utf8(body.to_vec()).unwrap();
    let session = session::<Data>(&request);
    let answer = match route {
        "ignore" => Answer::text("ignored"),
        "current" | "apart" => {
            let session = session.load().await?;
            app.current(action, &session, &argument).await?
        }
        "lazy" => app.lazy(action, &session, &argument).await?,
        "data" => match session.load().await?.data() {
            Some(data) => Answer::text(&data.name),
            None => Answer::text("").status(401),
        },
        "optional" => match session.load().await?.data() {
            Some(data) => Answer::text(&data.name),
            None => Answer::text("nobody"),
        },
        "two" => {
            let (session, admin) = (session.load().await?, self::session::<Admin>(&request));
            let admin = admin.load().await?;
            app.two(action, &session, &admin, &argument).await?
        }
        "guarded" => {
            let guarded = session.load().await?;
            app.guard(&guarded, TestApp::guard_refuses(&path)).await?;
            // The handler asks anew and gets the same.
            let session = session.load().await?;
            app.current(action, &session, &argument).await?
        }
        "socket" => return socket(app, session, request).await,
        _ => Answer::text("").status(404),
    };
    Ok(respond(answer))
}

fn session<T: Send + Sync + 'static>(request: &Request<Incoming>) -> LazySession<T> {
    request
        .extensions()
        .get::<LazySession<T>>()
        .unwrap()
        .clone()
}

async fn socket(
    app: TestApp,
    session: LazySession<Data>,
    request: Request<Incoming>,
) -> Result<Reply, Failure> {
    let session = session.load().await?;
    app.before_socket(&session).await?;
    tokio::spawn(async move {
        let mut socket = TokioIo::new(hyper::upgrade::on(request).await.unwrap());
        let text = app.on_socket(&session).await;
        // A text message in one frame, as a server sends it (RFC 6455, section 5.2).
        let mut frame = vec![0x81, u8::try_from(text.len()).unwrap()];
        frame.extend(text.bytes());
        socket.write_all(&frame).await.unwrap();
    });
    let mut reply = empty(StatusCode::SWITCHING_PROTOCOLS);
    let fields = reply.headers_mut();
    fields.insert("connection", "upgrade".parse().unwrap());
    fields.insert("upgrade", "websocket".parse().unwrap());
    Ok(reply)
}

fn respond(answer: Answer) -> Reply {
    let mut response = Response::builder().status(answer.status);
    for (name, value) in answer.fields {
        response = response.header(name, value);
    }
    let body = match answer.body {
        Body::Text(text) => Full::from(text).boxed_unsync(),
        Body::Chunks(chunks) => chunks.boxed_unsync(),
    };
    response.body(body).unwrap()
}

fn empty(status: StatusCode) -> Reply {
    respond(Answer::text("").status(status.as_u16()))
}
