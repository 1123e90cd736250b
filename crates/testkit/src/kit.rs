use std::fmt;
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use cloakroom::{
    CookieOptions, ManualClock, MemoryStore, Secret, Sessions, SessionsBuilder, Timestamp,
};
use tokio::sync::oneshot;

use crate::{Data, FaultyStore, Framework, Gate, Notebook, Site, Stop, TestApp};

/// What a scenario works with: it starts sites of one framework.
#[derive(Debug)]
pub struct Kit {
    serve: fn(TcpListener, TestApp, Stop),
    /// See [`Framework::MISSING_LAYER_HINT`].
    pub missing_layer_hint: Option<&'static str>,
    /// What the scenario saw.
    pub notebook: Notebook,
}

impl Kit {
    fn of<F: Framework>() -> Self {
        Self {
            serve: F::serve,
            missing_layer_hint: F::MISSING_LAYER_HINT,
            notebook: Notebook::new(),
        }
    }

    /// A site with the default configuration, its store empty, its clock standing still.
    pub async fn site(&self) -> Site {
        self.plan().start().await
    }

    /// A site yet to be configured.
    pub fn plan(&self) -> Plan<'_> {
        // Not now, lest a mix-up with the system's clock goes unnoticed.
        let clock = ManualClock::at(Timestamp::from_millis(2_000_000_000_000));
        Plan {
            kit: self,
            secrets: vec![self.secret()],
            store: FaultyStore::new(clock.clone()),
            clock,
            configure: Box::new(|builder| builder),
        }
    }

    /// A new secret, which is not to show up anywhere.
    pub fn secret(&self) -> Secret {
        let secret = Secret::generate().expect("the system has random numbers");
        self.notebook
            .secret("the application's secret", secret.to_hex().as_bytes());
        secret
    }
}

/// Runs a scenario against a framework. Called by the tests that [`scenarios!`](crate::scenarios!) makes.
///
/// # Panics
/// If the scenario fails, or if it let a secret out.
pub fn run<F: Framework>(scenario: impl AsyncFnOnce(&Kit)) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime starts");
    runtime.block_on(async {
        let kit = Kit::of::<F>();
        scenario(&kit).await;
        kit.notebook.check_for_leaks();
    });
}

/// A site's configuration.
#[must_use]
pub struct Plan<'a> {
    kit: &'a Kit,
    secrets: Vec<Secret>,
    store: FaultyStore<Data>,
    clock: ManualClock,
    configure: Box<dyn FnOnce(SessionsBuilder<Data>) -> SessionsBuilder<Data>>,
}

impl Plan<'_> {
    /// Signs with the first of these, and accepts the others.
    pub fn secrets(mut self, secrets: impl IntoIterator<Item = Secret>) -> Self {
        self.secrets = secrets.into_iter().collect();
        self
    }

    /// Shares another site's store and clock, as a second instance of the application does.
    pub fn beside(mut self, site: &Site) -> Self {
        self.store = site.store.clone();
        self.clock = site.clock.clone();
        self
    }

    /// Configures the sessions.
    pub fn configure(
        mut self,
        configure: impl FnOnce(SessionsBuilder<Data>) -> SessionsBuilder<Data> + 'static,
    ) -> Self {
        self.configure = Box::new(configure);
        self
    }

    /// Starts it on a free port.
    pub async fn start(self) -> Site {
        let events: Arc<Mutex<Vec<String>>> = Arc::default();
        let mut secrets = self.secrets.into_iter();
        let secret = secrets.next().expect("a site has a secret");
        let mut builder = Sessions::builder(self.store.clone(), secret.clone())
            .clock(self.clock.clone())
            .on_event({
                let events = Arc::clone(&events);
                move |event| {
                    let text = format!("{event:?}");
                    let name = text.split(' ').next().unwrap_or_default().to_owned();
                    events.lock().expect("nothing panics under it").push(name);
                }
            });
        for previous in secrets {
            builder = builder.previous_secret(previous);
        }
        let admins = Sessions::builder(MemoryStore::new(), secret)
            .cookie(CookieOptions::new().name("__Host-admin"))
            .build();
        let app = TestApp {
            sessions: (self.configure)(builder).build().expect("a good plan"),
            admins: admins.expect("a good configuration"),
            work: Gate::new(),
            body: Gate::new(),
            parked: Arc::default(),
        };

        let listener = TcpListener::bind("127.0.0.1:0").expect("there is a free port");
        listener
            .set_nonblocking(true)
            .expect("a listener can be non-blocking");
        let address = listener.local_addr().expect("it is bound");
        let (stop, stopped) = oneshot::channel();
        let (serve, served) = (self.kit.serve, app.clone());
        std::thread::spawn(move || serve(listener, served, Stop(stopped)));

        Site {
            address,
            app,
            store: self.store,
            clock: self.clock,
            events,
            notebook: self.kit.notebook.clone(),
            _stop: Arc::new(stop),
        }
    }
}

impl fmt::Debug for Plan<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plan").finish_non_exhaustive()
    }
}
