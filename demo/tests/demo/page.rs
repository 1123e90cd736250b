//! The page, as far as it can be judged without a browser; `demo/browser` has the rest.

use cloakroom::MemoryStore;

use crate::server::Server;

#[tokio::test]
async fn the_page_and_its_files_are_served_strictly() {
    let server = Server::start(&["--save-uninitialized"], MemoryStore::new()).await;
    let mut visitor = server.visitor();
    for (path, content_type) in [
        ("/", "text/html; charset=utf-8"),
        ("/devices", "text/html; charset=utf-8"),
        ("/style.css", "text/css; charset=utf-8"),
        ("/page.js", "text/javascript; charset=utf-8"),
        ("/live.js", "text/javascript; charset=utf-8"),
        ("/shop.js", "text/javascript; charset=utf-8"),
        ("/devices.js", "text/javascript; charset=utf-8"),
        ("/icon.svg", "image/svg+xml"),
    ] {
        let reply = visitor.get(path).await;
        assert_eq!(reply.status, 200, "{path}");
        assert_eq!(reply.header("content-type"), Some(content_type));
        // No session is involved.
        assert_eq!(reply.set_cookie(), None);
        assert_eq!(reply.header("vary"), None);
    }
}

#[tokio::test]
async fn every_response_tells_browsers_to_be_strict() {
    let server = Server::start(&[], MemoryStore::new()).await;
    let mut visitor = server.visitor();
    for path in [
        "/",
        "/devices",
        "/shop.js",
        "/nothing",
        "/api/me",
        "/api/ping",
        "/api/nothing",
    ] {
        let reply = visitor.get(path).await;
        assert_eq!(
            reply.header("x-content-type-options"),
            Some("nosniff"),
            "{path}"
        );
        assert_eq!(
            reply.header("referrer-policy"),
            Some("no-referrer"),
            "{path}"
        );
        let policy = reply.header("content-security-policy").unwrap();
        assert!(policy.starts_with("default-src 'none'; "), "{policy}");
        assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
        assert!(!policy.contains("unsafe"), "{policy}");
    }
}

#[tokio::test]
async fn the_page_has_no_script_or_style_of_its_own() {
    let server = Server::start(&[], MemoryStore::new()).await;
    for path in ["/", "/devices"] {
        let page = server.visitor().get(path).await.body;
        assert_eq!(
            page.matches("<script").count(),
            page.matches("<script src=\"/").count()
        );
        for inline in [
            "<style",
            " style=",
            " onclick=",
            " onload=",
            "javascript:",
            "http://",
            "https://",
        ] {
            assert!(!page.contains(inline), "{inline}");
        }
    }
}
