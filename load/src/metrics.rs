//! What the server says of itself at `/metrics`, in the text format of Prometheus.

use std::collections::BTreeMap;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::error::LoadError;
use crate::limits::{METRICS_BYTES_MAX, METRICS_WITHIN};
use crate::url::HttpUrl;

/// Names of the metrics; of several the first that the server has. One that is missing is not measured.
mod names {
    pub(super) const FORWARDED: [&str; 2] =
        ["dais_media_forwarded_packets_total", r#"dais_media_total{what="packets_forwarded"}"#];
    pub(super) const DATAGRAMS: [&str; 2] =
        ["dais_media_sent_datagrams_total", r#"dais_media_total{what="datagrams_out"}"#];
    pub(super) const MESSAGES: [&str; 2] =
        ["dais_media_sent_messages_total", r#"dais_media_total{what="messages_out"}"#];
    pub(super) const SEGMENTS_SUM: &str = "dais_media_segments_per_message_sum";
    pub(super) const SEGMENTS_COUNT: &str = "dais_media_segments_per_message_count";
    pub(super) const LATENCY_BUCKET: &str = r#"dais_media_forward_latency_seconds_bucket{le=""#;
}

/// All samples of one scrape, by name with labels.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Metrics(BTreeMap<String, f64>);

impl Metrics {
    /// # Errors
    /// [`LoadError::MetricsUnreadable`] when nothing answers, or not with metrics.
    pub(crate) async fn fetch(url: &HttpUrl) -> Result<Self, LoadError> {
        let unreadable = |error: String| LoadError::MetricsUnreadable(url.to_string(), error);
        let text = timeout(METRICS_WITHIN, get(url)).await.map_err(|_| unreadable("no answer in 5 s".to_owned()))?;
        let text = text.map_err(|error| unreadable(error.to_string()))?;
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or_default();
        let status = head.split(' ').nth(1).unwrap_or("nothing");
        if status != "200" {
            return Err(unreadable(format!("the answer is {status}")));
        }
        Ok(Self::parse(body))
    }

    fn parse(text: &str) -> Self {
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        let samples = lines.filter_map(|line| {
            let (name, value) = line.rsplit_once(' ')?;
            Some((name.to_owned(), value.parse().ok()?))
        });
        Self(samples.collect())
    }

    fn first(&self, names: &[&str]) -> Option<f64> {
        names.iter().find_map(|name| self.0.get(*name)).copied()
    }

    /// What was counted between `before` and now.
    pub(crate) fn since(&self, before: &Self) -> Figures {
        let difference = |names: &[&str]| Some(self.first(names)? - before.first(names)?);
        let ratio = |sum: Option<f64>, count: Option<f64>| Some(sum? / count.filter(|count| *count > 0.0)?);
        let segments = ratio(difference(&[names::SEGMENTS_SUM]), difference(&[names::SEGMENTS_COUNT]));
        Figures {
            forwarded: difference(&names::FORWARDED),
            segments_per_message: segments
                .or_else(|| ratio(difference(&names::DATAGRAMS), difference(&names::MESSAGES))),
            forward_latency_us: self.latency_since(before),
        }
    }

    /// Upper bounds in seconds, ascending, and cumulative counts.
    fn latency_buckets(&self) -> Vec<(f64, f64)> {
        let samples = self.0.iter().filter_map(|(name, count)| {
            let bound = name.strip_prefix(names::LATENCY_BUCKET)?.strip_suffix("\"}")?;
            Some((bound.parse().ok()?, *count))
        });
        let mut buckets: Vec<(f64, f64)> = samples.collect();
        buckets.sort_by(|a, b| a.0.total_cmp(&b.0));
        buckets
    }

    fn latency_since(&self, before: &Self) -> Option<(f64, f64)> {
        let (now, before) = (self.latency_buckets(), before.latency_buckets());
        if now.len() != before.len() {
            return None;
        }
        let buckets: Vec<_> = now.iter().zip(before).map(|(now, before)| (now.0, now.1 - before.1)).collect();
        Some((quantile(&buckets, 0.5)? * 1e6, quantile(&buckets, 0.99)? * 1e6))
    }
}

/// A quantile of cumulative buckets, evenly spread within each, as Prometheus' `histogram_quantile` has it.
fn quantile(buckets: &[(f64, f64)], q: f64) -> Option<f64> {
    let rank = buckets.last().map(|(_, count)| count * q).filter(|rank| *rank > 0.0)?;
    let at = buckets.iter().position(|(_, count)| *count >= rank)?;
    let (low, under) = if at == 0 { (0.0, 0.0) } else { buckets[at - 1] };
    let (high, up_to) = buckets[at];
    if high.is_infinite() { Some(low) } else { Some(low + (high - low) * (rank - under) / (up_to - under)) }
}

/// What the server counted in a window; what it does not tell is none.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Figures {
    /// Packets forwarded.
    pub(crate) forwarded: Option<f64>,
    pub(crate) segments_per_message: Option<f64>,
    /// Median and 99th percentile.
    pub(crate) forward_latency_us: Option<(f64, f64)>,
}

/// One request in HTTP/1.0, whose answer ends with the connection.
async fn get(url: &HttpUrl) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(&url.authority).await?;
    let request = format!("GET {} HTTP/1.0\r\nHost: {}\r\nAccept: text/plain\r\n\r\n", url.path, url.authority);
    stream.write_all(request.as_bytes()).await?;
    let mut text = String::new();
    stream.take(METRICS_BYTES_MAX).read_to_string(&mut text).await?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_differences_and_by_the_first_name_there_is() {
        let text = |n: u32| {
            format!(
                "# HELP x y\ndais_media_total{{what=\"packets_forwarded\"}} {}\n\
                 dais_media_total{{what=\"datagrams_out\"}} {}\ndais_media_total{{what=\"messages_out\"}} {}\n",
                n * 100,
                n * 80,
                n * 20,
            )
        };
        let figures = Metrics::parse(&text(3)).since(&Metrics::parse(&text(1)));
        let expected = Figures { forwarded: Some(200.0), segments_per_message: Some(4.0), forward_latency_us: None };
        assert_eq!(figures, expected);
        assert_eq!(Metrics::parse("").since(&Metrics::parse("")), Figures::default());
    }

    #[test]
    fn histograms_are_read_where_there_are_any() {
        let text = |n: f64| {
            let bucket = |le: &str, count: f64| {
                format!("dais_media_forward_latency_seconds_bucket{{le=\"{le}\"}} {}\n", count * n)
            };
            let sums = format!(
                "dais_media_segments_per_message_sum {}\ndais_media_segments_per_message_count {}\n",
                9.0 * n,
                2.0 * n
            );
            bucket("0.001", 50.0) + &bucket("0.002", 100.0) + &bucket("+Inf", 100.0) + &sums
        };
        let figures = Metrics::parse(&text(2.0)).since(&Metrics::parse(&text(1.0)));
        assert_eq!(figures.segments_per_message, Some(4.5));
        let (p50, p99) = figures.forward_latency_us.unwrap();
        assert!((p50 - 1_000.0).abs() < 1e-6 && (p99 - 1_980.0).abs() < 1e-6, "{p50} {p99}");
    }

    #[test]
    fn values_beyond_the_last_bound_are_that_bound() {
        assert_eq!(quantile(&[(1.0, 1.0), (f64::INFINITY, 10.0)], 0.99), Some(1.0));
        assert_eq!(quantile(&[(1.0, 0.0), (f64::INFINITY, 0.0)], 0.5), None);
    }
}
