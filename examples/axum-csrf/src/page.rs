use axum::response::Html;

/// For visitors.
pub(crate) fn sign_in(token: &str) -> Html<String> {
    Html(format!(
        r#"<!doctype html><title>Sign in</title>
<form method="post" action="/sign-in">
  {}
  <label>Name <input name="name" required></label> <button>Sign in</button>
</form>
"#,
        hidden(token)
    ))
}

/// For those who are signed in.
pub(crate) fn account(name: &str, coins: u32, token: &str) -> Html<String> {
    let (name, token) = (escape(name), hidden(token));
    Html(format!(
        r#"<!doctype html><title>Account</title>
<p>{name} has {coins} coins.</p>
<form method="post" action="/give">
  {token}
  <label>Coins <input name="coins" type="number" value="1"></label> <button>Give away</button>
</form>
<form method="post" action="/sign-out">{token}<button>Sign out</button></form>
"#
    ))
}

/// The token's letters need no escaping.
fn hidden(token: &str) -> String {
    format!(r#"<input type="hidden" name="csrf_token" value="{token}">"#)
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            other => escaped.push(other),
        }
    }
    escaped
}
