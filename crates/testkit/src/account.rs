use std::fmt::Write;
use std::time::Duration;

use bytes::Bytes;
use cloakroom::CurrentSession;

use crate::{Answer, Data, Failure, TestApp};

impl TestApp {
    /// What an application does around a sign-in: devices, fresh sign-ins, long-lived connections. `None` if no
    /// such action is called that.
    pub(crate) async fn account(
        &self,
        action: &str,
        session: &CurrentSession<Data>,
        argument: &str,
    ) -> Result<Option<Answer>, Failure> {
        Ok(Some(match action {
            "devices" => {
                let mut list = String::new();
                for device in session.devices().await? {
                    tracing::trace!(?device, "a device");
                    let mark = if device.is_current() { "this" } else { "other" };
                    let agent = device.client().and_then(|client| client.user_agent());
                    let address = device.client().and_then(|client| client.address());
                    let address =
                        address.map_or("nowhere".to_owned(), |address| address.to_string());
                    let handle = device.handle();
                    let agent = agent.unwrap_or("nothing");
                    writeln!(list, "{handle} {mark} {address} {agent}")
                        .expect("text can be written to");
                }
                Answer::text(list)
            }
            "revoke" => {
                let handle = argument.parse().map_err(|_| Failure::Own(400))?;
                Answer::text(session.destroy_device(handle).await?.to_string())
            }
            "logout-others" => Answer::text(session.destroy_others().await?.to_string()),
            "logout-everywhere" => Answer::text(session.logout_everywhere().await?.to_string()),
            "sudo" => {
                let seconds = argument.parse().map_err(|_| Failure::Own(400))?;
                session.require_fresh(Duration::from_secs(seconds))?;
                Answer::text("done")
            }
            "reauthenticate" => {
                session.reauthenticate().await?;
                Answer::text("ok")
            }
            "live" => {
                let ended = session.ended();
                Answer::stream(async move |sender| {
                    // A client that hung up is none of the session's business.
                    let _ = sender.send(Bytes::from_static(b"live")).await;
                    tokio::select! {
                        () = ended => drop(sender.send(Bytes::from_static(b"ended")).await),
                        () = sender.closed() => {}
                    }
                })
            }
            _ => return Ok(None),
        }))
    }
}
