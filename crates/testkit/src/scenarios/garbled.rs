//! Whatever is in a `Cookie` field, the answer is that of a visitor without one, and the store is not asked.

use crate::{Kit, Request, Site, Visitor};

/// Values that are no `<id>.<tag>`.
pub async fn garbled_values_are_nobody(kit: &Kit) {
    let (site, ada) = site_with_ada(kit).await;
    let value = ada.value();
    let (id, tag) = value.split_once('.').expect("an id and a tag");
    for garbled in [
        "",
        "x",
        ".",
        "..",
        id,
        tag,
        &value[1..],
        &value[..86],
        &format!("{value}A"),
        &format!("{value}="),
        &format!("{id}.{tag}.{tag}"),
        &format!("{id}..{tag}"),
        &format!("{id}.{tag}."),
        &format!("{id}:{tag}"),
        &format!("{id} {tag}"),
        &format!("{id}. {tag}"),
        &format!("{id}%2E{tag}"),
        &format!("'{value}'"),
        "'%00",
        "../../etc/passwd",
        "' OR 1=1 --",
        "%2e%2e%2f",
        "<script>alert(1)</script>",
        "é",
        "\u{1f36a}",
        "null",
        "{\"id\":1}",
    ] {
        refused(&site, format!("__Host-sid={garbled}").as_bytes()).await;
    }
    unharmed(&site, &ada).await;
}

/// Each byte that there is: before the name, within the value, after it. Only space and tab are trimmed.
pub async fn every_byte_is_answered(kit: &Kit) {
    let (site, ada) = site_with_ada(kit).await;
    let cookie = ada.cookie();
    for byte in 0..=255_u8 {
        // Line ends would end the field; these two are trimmed, a semicolon ends a pair.
        if [b'\r', b'\n', b' ', b'\t', b';'].contains(&byte) {
            continue;
        }
        let before = [&[byte], cookie.as_bytes()].concat();
        let after = [cookie.as_bytes(), &[byte]].concat();
        let within = [&cookie.as_bytes()[..30], &[byte], &cookie.as_bytes()[30..]].concat();
        for field in [before, after, within] {
            refused(&site, &field).await;
        }
    }
    unharmed(&site, &ada).await;
}

/// Unicode's spaces are no spaces here, not at the beginning, not at the end, not before the equals sign.
pub async fn unicode_spaces_are_not_trimmed(kit: &Kit) {
    let (site, ada) = site_with_ada(kit).await;
    let value = ada.value();
    for space in [
        "\u{a0}", "\u{85}", "\u{2000}", "\u{2003}", "\u{2028}", "\u{202f}", "\u{3000}", "\u{feff}",
        "\u{200b}",
    ] {
        for field in [
            format!("{space}__Host-sid={value}"),
            format!("__Host-sid{space}={value}"),
            format!("__Host-sid={space}{value}"),
            format!("__Host-sid={value}{space}"),
            format!("a=b;{space}__Host-sid={value}"),
        ] {
            refused(&site, field.as_bytes()).await;
        }
    }
    // Latin-1's, as single bytes.
    for byte in [0x85, 0xa0] {
        refused(&site, &[&[byte], ada.cookie().as_bytes()].concat()).await;
    }
    unharmed(&site, &ada).await;
}

/// Names are compared byte by byte, and not decoded.
pub async fn a_name_in_another_spelling_is_another_name(kit: &Kit) {
    let (site, ada) = site_with_ada(kit).await;
    for name in [
        "__host-sid",
        "__HOST-SID",
        "__Host-Sid",
        "%5f%5fHost-sid",
        "__Host%2Dsid",
        "__Host-sid2",
        "x__Host-sid",
        "sid",
        "$__Host-sid",
        "\"__Host-sid\"",
    ] {
        refused(&site, format!("{name}={}", ada.value()).as_bytes()).await;
    }
    unharmed(&site, &ada).await;
}

/// Quotes are part of the value, and hide nothing that comes after them.
pub async fn quotes_and_versions_mean_nothing(kit: &Kit) {
    let (site, ada) = site_with_ada(kit).await;
    let value = ada.value();
    for field in [
        format!("__Host-sid=\"{value}\""),
        format!("$Version=1; __Host-sid=\"{value}; x=\""),
        format!("__Host-sid=\"{value}"),
        format!("__Host-sid={value}\""),
        format!("$Version=\"1\"; __Host-sid=\"{value}\"; $Path=\"/\""),
    ] {
        refused(&site, field.as_bytes()).await;
    }
    for field in [
        format!("$Version=1; __Host-sid={value}"),
        format!("x=\"a; __Host-sid={value}; y=b\""),
        format!("$Version=1; x=\"; __Host-sid={value}"),
    ] {
        let response = site.send(Request::get("/current/read").cookie(field)).await;
        assert_eq!(response.expect(200), "ada:0");
    }
}

/// No percent decoding.
pub async fn a_value_is_taken_as_it_is(kit: &Kit) {
    let (site, ada) = site_with_ada(kit).await;
    let value = ada.value();
    let first = format!("%{:02X}", value.as_bytes()[0]);
    for garbled in [
        format!("{first}{}", &value[1..]),
        format!("{value}%20"),
        format!("{value}%00"),
        format!("+{value}"),
    ] {
        refused(&site, format!("__Host-sid={garbled}").as_bytes()).await;
    }
    unharmed(&site, &ada).await;
}

/// Pairs that are none are skipped one by one; the others count.
pub async fn bad_pairs_do_not_hide_the_good_one(kit: &Kit) {
    let (site, ada) = site_with_ada(kit).await;
    let value = ada.value();
    let mut not_utf8 = b"\xff\xfe=1; \x80; ".to_vec();
    not_utf8.extend(ada.cookie().bytes());
    for field in [
        format!("foo; =x; é=1; ;;; __Host-sid={value}").into_bytes(),
        format!("=; =; __Host-sid={value}; =").into_bytes(),
        format!("a==b;__Host-sid={value};c").into_bytes(),
        format!("a=1;\t __Host-sid \t=\t {value} \t; b=2").into_bytes(),
        not_utf8,
    ] {
        let response = site
            .send(Request::get("/current/read").cookie(&field))
            .await;
        assert_eq!(
            response.expect(200),
            "ada:0",
            "{}",
            String::from_utf8_lossy(&field)
        );
    }
}

/// Cookies of any size are answered, or refused by the server that has to hold them: never with an error of
/// ours, never by asking the store.
pub async fn sizes_up_to_a_megabyte_are_answered(kit: &Kit) {
    let (site, ada) = site_with_ada(kit).await;
    for size in [87, 88, 4 << 10, 8 << 10, 16 << 10, 64 << 10, 1 << 20] {
        let value = format!("__Host-sid={}", "A".repeat(size));
        refused(&site, value.as_bytes()).await;
        // The good one behind more than is looked through.
        if size >= 16 << 10 {
            let hidden = format!("x={}; {}", "A".repeat(size), ada.cookie());
            refused(&site, hidden.as_bytes()).await;
        }
    }
    unharmed(&site, &ada).await;
}

/// The same with very many small ones.
pub async fn a_hundred_thousand_pairs_are_answered(kit: &Kit) {
    let (site, ada) = site_with_ada(kit).await;
    for pairs in ["a=b; ", "; ", "__Host-sid=; ", "__Host-sid=x; "] {
        refused(&site, pairs.repeat(100_000).as_bytes()).await;
        refused(&site, pairs.repeat(1_000).as_bytes()).await;
    }
    unharmed(&site, &ada).await;
}

async fn site_with_ada(kit: &Kit) -> (Site, Visitor) {
    let site = kit.site().await;
    let ada = site.signed_in("ada").await;
    (site, ada)
}

/// Nobody's answer, or the server's own refusal of a request that is none, or a cut connection.
async fn refused(site: &Site, field: &[u8]) {
    let request = Request::get("/current/read").cookie(field);
    if let Some(response) = site.try_send(request).await {
        let shown = String::from_utf8_lossy(&field[..field.len().min(120)]);
        match response.status {
            200 => assert_eq!(response.text(), "nobody", "{shown:?}"),
            400 | 431 => {}
            other => panic!("{other} to {shown:?}"),
        }
        response.expect_no_cookie();
    }
    site.expect_asked(&[]);
}

async fn unharmed(site: &Site, ada: &Visitor) {
    assert_eq!(ada.whoami().await, "ada:0");
    assert_eq!(site.store.live().await, 1);
}
