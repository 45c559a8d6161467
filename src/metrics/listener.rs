//! Where Prometheus scrapes: an address of its own, which need not be open to people.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;
use prometheus::TEXT_FORMAT;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::Metrics;

/// Serves `/metrics` at `address`, or at a free port where its port is 0, until the task is aborted. Returns the
/// address.
///
/// # Errors
/// When the address cannot be bound.
pub(crate) async fn listen(
    address: SocketAddr,
    metrics: Arc<Metrics>,
) -> std::io::Result<(SocketAddr, JoinHandle<()>)> {
    let listener = TcpListener::bind(address).await?;
    let address = listener.local_addr()?;
    let scrape = move || async move { ([(CONTENT_TYPE, TEXT_FORMAT)], metrics.render()) };
    let routes = Router::new().route("/metrics", get(scrape));
    let serving = tokio::spawn(async move {
        // It ends only with its task.
        let _ = axum::serve(listener, routes).await;
    });
    Ok((address, serving))
}
