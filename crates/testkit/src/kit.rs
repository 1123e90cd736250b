use std::fmt;
use std::future::Future;
use std::net::TcpListener;
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use cloakroom::{
    CookieOptions, ManualClock, MemoryStore, Secret, Sessions, SessionsBuilder, Timestamp,
};
use tokio::sync::oneshot;

use crate::{Data, FaultyStore, Framework, Gate, Notebook, Site, Stop, TestApp};

/// Makes the store of a site, empty, by that clock.
type OpenStore = fn(ManualClock) -> Pin<Box<dyn Future<Output = FaultyStore<Data>> + Send>>;

/// What a scenario works with: it starts sites of one framework, on stores of one kind.
#[derive(Debug)]
pub struct Kit {
    serve: fn(TcpListener, TestApp, Stop),
    open: OpenStore,
    /// See [`Framework::MISSING_LAYER_HINT`].
    pub missing_layer_hint: Option<&'static str>,
    /// What the scenario saw.
    pub notebook: Notebook,
}

impl Kit {
    fn of<F: Framework, K: Stock>() -> Self {
        Self {
            serve: F::serve,
            open: |clock| Box::pin(K::open(clock)),
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
        Plan {
            kit: self,
            secrets: vec![self.secret()],
            store: None,
            // Not now, lest a mix-up with the system's clock goes unnoticed.
            clock: ManualClock::at(Timestamp::from_millis(2_000_000_000_000)),
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

/// Where the stores of sites come from.
pub trait Stock: 'static {
    /// An empty store that shares nothing with any other, by that clock. It has to be able to enumerate.
    fn open(clock: ManualClock) -> impl Future<Output = FaultyStore<Data>> + Send;
}

/// [`MemoryStore`]s.
#[derive(Debug)]
pub struct InMemory;

impl Stock for InMemory {
    async fn open(clock: ManualClock) -> FaultyStore<Data> {
        FaultyStore::new(clock)
    }
}

/// Runs a scenario against a framework, its sessions in memory. Called by the tests that
/// [`scenarios!`](crate::scenarios!) makes.
///
/// # Panics
/// If the scenario fails, or if it let a secret out.
pub fn run<F: Framework>(scenario: impl AsyncFnOnce(&Kit)) {
    run_on::<F, InMemory>(scenario);
}

/// Runs a scenario against a framework, on that kind of store.
///
/// # Panics
/// As [`run`].
pub fn run_on<F: Framework, K: Stock>(scenario: impl AsyncFnOnce(&Kit)) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime starts");
    runtime.block_on(async {
        let kit = Kit::of::<F, K>();
        scenario(&kit).await;
        kit.notebook.check_for_leaks();
    });
}

/// A site's configuration.
#[must_use]
pub struct Plan<'a> {
    kit: &'a Kit,
    secrets: Vec<Secret>,
    store: Option<FaultyStore<Data>>,
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
        self.store = Some(site.store.clone());
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
        let store = match self.store {
            Some(store) => store,
            None => (self.kit.open)(self.clock.clone()).await,
        };
        let mut builder = Sessions::builder(store.clone(), secret.clone())
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
        let apart = Sessions::builder(MemoryStore::new(), secret.clone())
            .cookie(CookieOptions::new().name("__Host-apart"))
            .build();
        let admins = Sessions::builder(MemoryStore::new(), secret)
            .cookie(CookieOptions::new().name("__Host-admin"))
            .build();
        let app = TestApp {
            sessions: (self.configure)(builder).build().expect("a good plan"),
            admins: admins.expect("a good configuration"),
            apart: apart.expect("a good configuration"),
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
            store,
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
