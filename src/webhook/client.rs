//! Requests to receivers.

use std::error::Error as _;
use std::sync::Arc;

use axum::http::{HeaderValue, Request, StatusCode, header};
use http_body_util::Full;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client as HyperClient;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use rustls::{ClientConfig, RootCertStore};
use tokio::time::timeout;
use url::Url;

use super::limits;

/// Makes requests over HTTP/1.1, with TLS where the address says so, to servers whose certificates the system trusts.
pub(crate) type Client = HyperClient<HttpsConnector<HttpConnector>, Full<axum::body::Bytes>>;

/// A client that keeps connections open; `secure` where it is to make requests over TLS.
///
/// # Errors
/// When it is, and the system has no certificates to trust.
pub(crate) fn client(secure: bool) -> std::io::Result<Client> {
    let provider = rustls::crypto::aws_lc_rs::default_provider();
    let tls = if secure {
        HttpsConnectorBuilder::new().with_provider_and_native_roots(provider)?
    } else {
        let tls = ClientConfig::builder_with_provider(Arc::new(provider)).with_safe_default_protocol_versions();
        let tls = tls.map_err(std::io::Error::other)?.with_root_certificates(RootCertStore::empty());
        HttpsConnectorBuilder::new().with_tls_config(tls.with_no_client_auth())
    };
    Ok(HyperClient::builder(TokioExecutor::new()).build(tls.https_or_http().enable_http1().build()))
}

/// What is sent.
pub(crate) struct Message {
    pub(crate) id: String,
    /// Of this attempt, seconds since the Unix epoch.
    pub(crate) time: u64,
    pub(crate) signature: String,
    pub(crate) body: String,
}

/// What came of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// Any status of success.
    Taken,
    /// 410: nothing is wanted any more.
    Gone,
    /// Another status, no answer in time, or no connection.
    Failed(String),
}

/// Tells a receiver. Redirections are not followed: a signed event goes where the operator said.
pub(crate) async fn post(client: &Client, url: &Url, message: Message) -> Answer {
    let request = Request::post(url.as_str())
        .header(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))
        .header(header::USER_AGENT, concat!("dais/", env!("CARGO_PKG_VERSION")))
        .header("webhook-id", message.id)
        .header("webhook-timestamp", message.time)
        .header("webhook-signature", message.signature)
        .body(Full::new(message.body.into()));
    let request = match request {
        Ok(request) => request,
        Err(error) => return Answer::Failed(error.to_string()),
    };
    match timeout(limits::ANSWER_WITHIN, client.request(request)).await {
        Ok(Ok(response)) if response.status().is_success() => Answer::Taken,
        Ok(Ok(response)) if response.status() == StatusCode::GONE => Answer::Gone,
        Ok(Ok(response)) => Answer::Failed(format!("it answered {}", response.status())),
        // By itself it says no more than that there is no connection.
        Ok(Err(error)) => Answer::Failed(error.source().map_or_else(|| error.to_string(), ToString::to_string)),
        Err(_) => Answer::Failed("it did not answer in time".to_owned()),
    }
}
