//! Start and stop order: data plane, rooms, metrics, web server; and back.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::serve::ListenerExt as _;
use dais_media::{Counters, MediaPlane};
use dais_signaling::protocol::SessionError;
use dais_signaling::token::{Claims, TokenKeys};
use dais_signaling::{Signaling, router};
use dais_stage::{Role, Settings};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tracing::{debug, info, warn};

use crate::config::{Config, ConfigError};
use crate::journal::{Journal, JournalError, SqliteJournal};
use crate::mail::{Mail, MailConfigError, Outbox, Sender};
use crate::metrics::{self, Metrics, Sources};
use crate::privacy::keep_sessions;
use crate::reach::MediaReach;
use crate::room::Shared;
use crate::rooms::{OpenError, RoomDirectory, Rooms};
use crate::store::StoreError;
use crate::webhook::{Cursors, CursorsError, Hooks, Telling, WebhookConfigError};

/// Why the server does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A setting that cannot be.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The data plane does not start.
    #[error(transparent)]
    Media(#[from] dais_media::StartError),
    /// The journal cannot be opened or read.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// A setting of invitations by e-mail that cannot be.
    #[error(transparent)]
    MailConfig(#[from] MailConfigError),
    /// A setting of webhooks that cannot be.
    #[error(transparent)]
    WebhookConfig(#[from] WebhookConfigError),
    /// The outbox of invitations, or how far webhooks were told, cannot be opened.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// How far webhooks were told cannot be read or written.
    #[error(transparent)]
    Cursors(#[from] CursorsError),
    /// The address of the web server cannot be bound.
    #[error("cannot listen on {0}: {1}")]
    Listen(SocketAddr, std::io::Error),
    /// The address of the metrics cannot be bound.
    #[error("cannot serve metrics on {0}: {1}. Choose another address, or off, with --metrics-listen")]
    MetricsListen(SocketAddr, std::io::Error),
}

/// A running server.
pub struct Server {
    address: SocketAddr,
    keys: TokenKeys,
    rooms: Arc<Rooms>,
    media: Arc<MediaPlane>,
    stop: oneshot::Sender<()>,
    web: JoinHandle<std::io::Result<()>>,
    metrics: Option<(SocketAddr, JoinHandle<()>)>,
    /// Sends invitations.
    sender: Option<(oneshot::Sender<()>, JoinHandle<()>)>,
    /// Tells the receivers of webhooks.
    telling: Telling,
    /// Deletes sessions that were kept for long enough.
    keeping: Option<JoinHandle<()>>,
}

/// How long open sessions may take to end when the server stops.
const STOP_WITHIN: Duration = Duration::from_secs(2);

impl Server {
    /// Starts everything; sessions are served when this returns.
    ///
    /// # Errors
    /// When a setting, a socket or a thread is not to be had.
    pub async fn start(config: &Config) -> Result<Self, StartError> {
        let keys = config.token_keys()?;
        let receivers = config.webhooks.receivers()?;
        let mail_server = config.mail.server()?;
        if mail_server.is_some() {
            // Before anything is started.
            config.mail.base(config.listen)?;
        }
        let media = Arc::new(MediaPlane::start(&config.media())?);
        let journal: Arc<dyn Journal> =
            Arc::new(if config.in_memory { SqliteJournal::in_memory()? } else { SqliteJournal::open(&config.data)? });
        let folder = (!config.in_memory).then_some(&*config.data);
        let outbox = Arc::new(Outbox::open(folder)?);
        if mail_server.is_none() {
            outbox.send_nothing().await?;
        }
        // Somebody who goes on scraping keeps none of them alive.
        let (counted, queued, mails) = (Arc::downgrade(&media), Arc::downgrade(&journal), Arc::downgrade(&outbox));
        let metrics = Arc::new(Metrics::new(Sources {
            counters: Box::new(move || counted.upgrade().map(|media| media.counters()).unwrap_or_default()),
            workers: config.media().workers,
            journal_queue: Box::new(move || queued.upgrade().map_or(0, |journal| journal.queue_length())),
            mail_queue: Box::new(move || mails.upgrade().map_or(0, |outbox| outbox.length())),
        }));
        let cursors = Arc::new(Cursors::open(folder)?);
        cursors.forget_deleted(&*journal).await?;
        for receiver in &receivers {
            cursors.know(&receiver.name, &*journal).await?;
        }
        let (hooks, telling) = Hooks::start(receivers, &journal, &cursors, &metrics);
        let mail = Arc::new(Mail::new(outbox, mail_server.is_some()));
        let shared = Shared {
            media: Arc::clone(&media),
            metrics: Arc::clone(&metrics),
            journal,
            mail: Arc::clone(&mail),
            hooks,
            cursors,
            keys: keys.clone(),
        };
        let rooms = Rooms::load(shared).await?;
        let keeping = config.keep_sessions_days.map(|days| tokio::spawn(keep_sessions(Arc::downgrade(&rooms), days)));
        let directory = Arc::new(RoomDirectory(Arc::clone(&rooms)));
        let (api_key, preset, codec) = (config.api_key()?, config.preset, config.codec);
        let reach = Arc::new(MediaReach::new(Arc::clone(&media), config.turn_url.clone()).await);
        let embedding = config.embedding();
        let signaling = Signaling { directory, keys: keys.clone(), api_key, preset, codec, reach, embedding };
        let counted = Arc::clone(&metrics);
        let metrics = match config.metrics_address() {
            None => None,
            Some(address) => {
                let failed = |error| StartError::MetricsListen(address, error);
                Some(metrics::listen(address, metrics).await.map_err(failed)?)
            }
        };
        let failed = |error| StartError::Listen(config.listen, error);
        let listener = TcpListener::bind(config.listen).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let sender = match mail_server {
            None => None,
            Some(server) => {
                // After the rooms are there: what was withdrawn is known to the outbox.
                let (keys, base) = (keys.clone(), config.mail.base(address)?);
                let (stop, stopped) = oneshot::channel();
                let sender = Sender { mail, server, keys, base, metrics: counted };
                Some((stop, tokio::spawn(sender.run(stopped))))
            }
        };
        let (stop, stopped) = oneshot::channel::<()>();
        let app = router(signaling).into_make_service_with_connect_info::<SocketAddr>();
        // Nagle's algorithm (RFC 896) would keep the second part of an answer until the client acknowledges the first, which
        // clients put off by 40 ms.
        let listener = listener.tap_io(|stream| {
            if let Err(error) = stream.set_nodelay(true) {
                debug!(%error, "answers to a client may come late");
            }
        });
        let serving = axum::serve(listener, app).with_graceful_shutdown(async {
            let _ = stopped.await;
        });
        let web = tokio::spawn(async move { serving.await });
        let metrics_at = metrics.as_ref().map_or_else(|| "off".to_owned(), |(address, _)| address.to_string());
        info!(%address, metrics = metrics_at, workers = config.media().workers, "serving");
        Ok(Self { address, keys, rooms, media, stop, web, metrics, sender, telling, keeping })
    }

    /// Address of the web server.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Address at which `/metrics` is served, unless it is off.
    #[must_use]
    pub fn metrics_address(&self) -> Option<SocketAddr> {
        self.metrics.as_ref().map(|(address, _)| *address)
    }

    /// Opens a room, unless there is one with this id. One that has ended is opened again.
    ///
    /// # Errors
    /// When the journal fails.
    pub async fn open_room(&self, id: &str, title: &str, settings: Settings) -> Result<(), StartError> {
        self.rooms.until_over(id).await;
        match self.rooms.open(id, title, settings).await {
            Ok(()) | Err(OpenError::Exists) => Ok(()),
            Err(OpenError::Journal(error)) => Err(error.into()),
        }
    }

    /// Signs an access token.
    ///
    /// # Errors
    /// When the claims cannot be signed.
    pub fn token(&self, room: &str, role: Role, name: Option<&str>, valid: Duration) -> Result<String, SessionError> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let exp = (now + valid).as_secs();
        self.sign(&Claims { name: name.map(str::to_owned), ..Claims::new(room, role, exp) })
    }

    /// Signs any claims.
    ///
    /// # Errors
    /// When they cannot be signed.
    pub fn sign(&self, claims: &Claims) -> Result<String, SessionError> {
        self.keys.sign(claims)
    }

    /// Address of a room's page with a token. The token stands in the fragment, which browsers keep to themselves.
    ///
    /// # Errors
    /// When the token cannot be signed.
    pub fn link(&self, room: &str, role: Role, valid: Duration) -> Result<String, SessionError> {
        let token = self.token(room, role, None, valid)?;
        Ok(format!("http://{}/r/{room}#token={token}", self.address))
    }

    /// The data plane's counters.
    #[must_use]
    pub fn media_counters(&self) -> Counters {
        self.media.counters()
    }

    /// Tells everyone, ends the sessions and then the web server.
    pub async fn stop(self) {
        self.rooms.stop_all().await;
        let _ = self.stop.send(());
        if tokio::time::timeout(STOP_WITHIN, self.web).await.is_err() {
            warn!("some connections did not end in time");
        }
        if let Some((stop, mut sender)) = self.sender {
            let _ = stop.send(());
            // A mail on its way is finished: cut off, it would be sent once more after the next start.
            if tokio::time::timeout(STOP_WITHIN, &mut sender).await.is_err() {
                sender.abort();
            }
        }
        self.telling.stop().await;
        if let Some(keeping) = self.keeping {
            // What it is deleting is finished at the next start.
            keeping.abort();
        }
        if let Some((_, metrics)) = self.metrics {
            metrics.abort();
        }
        info!("stopped");
    }
}
