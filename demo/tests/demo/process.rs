//! The program itself: started, stopped, killed, started again.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Output, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::task::JoinSet;

use crate::client::Visitor;

/// The demo, running in that directory on a free port. Killed when it is dropped.
pub(crate) struct Program {
    child: Child,
    address: SocketAddr,
}

impl Program {
    async fn start(directory: &TempDir, log: &str) -> Self {
        Self::start_with(directory, log, &[]).await
    }

    pub(crate) async fn start_with(directory: &TempDir, log: &str, more: &[&str]) -> Self {
        let mut child = command(directory, &[&["--listen", "127.0.0.1:0"], more].concat())
            .env("RUST_LOG", log)
            .stdout(Stdio::piped())
            .stderr(fs::File::create(directory.path().join("log")).unwrap())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let line = lines.next_line().await.unwrap().unwrap_or_default();
        let address = line.strip_prefix("Cloakroom demo: http://");
        let log = || fs::read_to_string(directory.path().join("log")).unwrap();
        let address = address.unwrap_or_else(|| panic!("{line}{}", log()));
        let address = address.parse().unwrap();
        // What it prints next has to go somewhere.
        tokio::spawn(async move { lines.into_inner().read_to_end(&mut Vec::new()).await });
        Self { child, address }
    }

    pub(crate) fn visitor(&self) -> Visitor {
        Visitor::of(self.address)
    }

    /// As Ctrl-C and service managers do. The exit code.
    #[cfg(unix)]
    async fn stop(mut self, signal: &str) -> Option<i32> {
        let id = self.child.id().unwrap().to_string();
        let sent = Command::new("kill").args(["-s", signal, &id]).status();
        assert!(sent.await.unwrap().success());
        self.child.wait().await.unwrap().code()
    }

    /// `kill -9`.
    async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }
}

fn command(directory: &TempDir, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cloakroom-demo"));
    command.args(arguments).current_dir(directory);
    command.env_remove("RUST_LOG");
    command
}

/// Runs to the end; for starts that fail.
async fn refused(directory: &TempDir, arguments: &[&str]) -> String {
    let Output {
        status,
        stdout,
        stderr,
    } = command(directory, arguments).output().await.unwrap();
    assert!(!status.success(), "{arguments:?}");
    assert_eq!(String::from_utf8(stdout).unwrap(), "");
    String::from_utf8(stderr).unwrap()
}

#[cfg(unix)]
#[tokio::test]
async fn sessions_survive_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let program = Program::start(&directory, "warn").await;
    let mut ada = program.visitor();
    ada.sign_in("ada").await;
    ada.add("tea").await;
    assert_eq!(program.stop("TERM").await, Some(0));

    let program = Program::start(&directory, "warn").await;
    let mut ada = ada.at(program.address);
    assert_eq!(ada.cart().await, Ok(vec!["tea".to_owned()]));
    assert_eq!(program.stop("INT").await, Some(0));
    assert_eq!(
        fs::read_to_string(directory.path().join("log")).unwrap(),
        ""
    );

    // Under another secret the cookie is nobody's.
    fs::remove_file(directory.path().join("cloakroom-demo.secret")).unwrap();
    let program = Program::start(&directory, "warn").await;
    assert_eq!(ada.at(program.address).cart().await, Err(401));
}

#[cfg(unix)]
#[tokio::test]
async fn an_open_event_stream_does_not_keep_it_from_stopping() {
    let directory = tempfile::tempdir().unwrap();
    let program = Program::start(&directory, "warn").await;
    let mut ada = program.visitor();
    ada.sign_in("ada").await;
    let mut live = ada.ask("GET", "/api/live", "", "").await.unwrap();
    // It is open once something comes.
    live.read_u8().await.unwrap();
    assert_eq!(program.stop("TERM").await, Some(0));
    let mut rest = String::new();
    live.read_to_string(&mut rest).await.unwrap();
    assert!(!rest.contains("event: ended"), "{rest}");
    let log = fs::read_to_string(directory.path().join("log")).unwrap();
    assert_eq!(log, "", "no request had to be given up");
}

#[cfg(unix)]
#[tokio::test]
async fn its_files_are_for_its_owner_only() {
    use std::os::unix::fs::PermissionsExt;

    let directory = tempfile::tempdir().unwrap();
    let program = Program::start(&directory, "warn").await;
    program.visitor().sign_in("ada").await;
    let mut seen = Vec::new();
    for entry in fs::read_dir(directory.path()).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        if name.starts_with("cloakroom-demo") {
            let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
            assert_eq!(mode, 0o600, "{name}");
            seen.push(name);
        }
    }
    for expected in ["cloakroom-demo.db", "cloakroom-demo.secret"] {
        assert!(seen.iter().any(|name| name == expected), "{seen:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_survives_kill_9() {
    let directory = tempfile::tempdir().unwrap();
    let mut program = Program::start(&directory, "warn").await;
    let mut ada = program.visitor();
    ada.sign_in("ada").await;
    let sent = Arc::new(AtomicUsize::new(0));
    let acknowledged = Arc::new(Mutex::new(Vec::new()));
    for round in 1..=3 {
        let mut clients = JoinSet::new();
        for _ in 0..4 {
            let (mut ada, sent, acknowledged) = (ada.clone(), sent.clone(), acknowledged.clone());
            clients.spawn(async move {
                loop {
                    let item = format!("item {}", sent.fetch_add(1, Ordering::Relaxed));
                    let body = format!(r#"{{"item":"{item}"}}"#);
                    match ada.try_post("/api/cart", &body).await {
                        Ok(reply) => {
                            assert_eq!(reply.status, 200, "{reply:?}");
                            acknowledged.lock().unwrap().push(item);
                        }
                        Err(_) => return,
                    }
                }
            });
        }
        while acknowledged.lock().unwrap().len() < 25 * round {
            tokio::task::yield_now().await;
        }
        program.kill().await;
        clients.join_all().await;

        program = Program::start(&directory, "warn").await;
        ada = ada.at(program.address);
        let cart = ada.cart().await.expect("still signed in");
        for item in acknowledged.lock().unwrap().iter() {
            let times = cart.iter().filter(|found| *found == item).count();
            assert_eq!(times, 1, "{item}");
        }
    }
    assert!(sent.load(Ordering::Relaxed) >= 75);
}

#[cfg(unix)]
#[tokio::test]
async fn the_cookie_is_in_no_file_and_no_log() {
    let directory = tempfile::tempdir().unwrap();
    let program = Program::start(&directory, "trace").await;
    let mut ada = program.visitor();
    let mut cookies = Vec::new();
    ada.post("/api/visit", "").await;
    cookies.extend(ada.cookie.clone());
    ada.sign_in("ada").await;
    cookies.extend(ada.cookie.clone());
    ada.add("tea").await;
    ada.post("/api/cart/save", r#"{"item":"milk"}"#).await;
    ada.cart().await.unwrap();
    ada.clone()
        .with_cookie(cookies.join("; "))
        .get("/api/me")
        .await;
    // One session stays, so that there is something in the database to search.
    let mut leaver = program.visitor();
    leaver.sign_in("bob").await;
    cookies.extend(leaver.cookie.clone());
    leaver.post("/api/logout", "").await;
    search(directory.path(), &cookies);
    assert_eq!(program.stop("TERM").await, Some(0));
    search(directory.path(), &cookies);
    // That there was something to find, had it been there.
    let log = fs::read_to_string(directory.path().join("log")).unwrap();
    for expected in [
        "TRACE axum",
        "DEBUG cloakroom_rusqlite",
        "DEBUG cloakroom: session created",
    ] {
        assert!(log.contains(expected), "{expected}");
    }
    let database = fs::read(directory.path().join("cloakroom-demo.db")).unwrap();
    assert!(String::from_utf8_lossy(&database).contains(r#""name":"ada""#));
}

/// Looks for each cookie's value, its two halves, in every file of the directory.
fn search(directory: &Path, cookies: &[String]) {
    assert_eq!(cookies.len(), 3);
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let text = String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned();
        for cookie in cookies {
            let (id, tag) = cookie
                .strip_prefix("sid=")
                .unwrap()
                .split_once('.')
                .unwrap();
            for secret in [id, tag] {
                assert!(!text.contains(secret), "in {}", path.display());
            }
        }
    }
}

#[tokio::test]
async fn help_is_given_with_and_without_a_habitual_separator() {
    let directory = tempfile::tempdir().unwrap();
    for arguments in [&["--help"][..], &["--", "--help"]] {
        let output = command(&directory, arguments).output().await.unwrap();
        assert!(output.status.success());
        let help = String::from_utf8(output.stdout).unwrap();
        for option in [
            "--listen",
            "--store",
            "--max-age",
            "--remember-max-age",
            "--idle-timeout",
            "--max-sessions",
            "--trusted-proxy",
            "--proxy-header",
            "--save-uninitialized",
            "--secure",
            "--secret-file",
        ] {
            assert!(help.contains(option), "{option} in {help}");
        }
    }
}

#[tokio::test]
async fn options_that_cannot_work_are_refused_before_anything_is_made() {
    let directory = tempfile::tempdir().unwrap();
    for (arguments, hint) in [
        (&["--listen", "0.0.0.0:0"][..], "--secure"),
        (&["--listen", "[::]:0"], "--secure"),
        (&["--listen", "nowhere"], "--listen"),
        (&["--store", "mongodb://localhost"], "sqlite://"),
        (&["--max-age", "soon"], "--max-age"),
        (&["--idle-timeout=-1"], "--idle-timeout"),
        (&["--max-sessions", "0"], "--max-sessions"),
        (&["--trusted-proxy", "everybody"], "everybody"),
        (&["--no-such-option"], "--no-such-option"),
    ] {
        let message = refused(&directory, arguments).await;
        assert!(message.contains(hint), "{message}");
    }
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn a_store_or_an_address_that_cannot_be_used_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let store = "sqlite://no-such-directory/demo.db";
    let message = refused(&directory, &["--store", store, "--listen", "127.0.0.1:0"]).await;
    assert!(message.contains(store), "{message}");

    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let message = refused(&directory, &["--listen", &address, "--store", "memory:"]).await;
    assert!(message.contains(&address), "{message}");
}

#[cfg(unix)]
#[tokio::test]
async fn a_secret_that_others_can_read_is_refused() {
    use std::os::unix::fs::PermissionsExt;

    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("cloakroom-demo.secret");
    fs::write(&path, "ab".repeat(16)).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    let message = refused(&directory, &["--store", "memory:"]).await;
    assert!(message.contains("chmod 600"), "{message}");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    let message = refused(&directory, &["--store", "memory:"]).await;
    assert!(message.contains("openssl rand -hex 32"), "{message}");
    assert!(!message.contains("abab"), "{message}");
}
