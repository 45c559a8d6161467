//! Makes metrics and registers them.

use prometheus::core::{Collector, Desc};
use prometheus::proto::MetricFamily;
use prometheus::{
    Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry,
};

/// Makes metrics in a registry. A name that is not valid, or used twice, is a bug of ours that any start shows.
pub(crate) struct Registrar<'a>(pub(crate) &'a Registry);

impl Registrar<'_> {
    pub(crate) fn collector(&self, collector: impl Collector + 'static) {
        self.0.register(Box::new(collector)).expect("no two metrics share a name");
    }

    fn registered<C: Collector + Clone + 'static>(&self, made: prometheus::Result<C>) -> C {
        let collector = made.expect("the name is valid");
        self.collector(collector.clone());
        collector
    }

    pub(crate) fn counter(&self, name: &str, help: &str) -> IntCounter {
        self.registered(IntCounter::new(name, help))
    }

    /// A counter for each of `values`.
    pub(crate) fn counters<const N: usize>(
        &self,
        name: &str,
        help: &str,
        label: &str,
        values: [&str; N],
    ) -> IntCounterVec {
        let counters = self.registered(IntCounterVec::new(Opts::new(name, help), &[label]));
        for value in values {
            counters.with_label_values(&[value]);
        }
        counters
    }

    pub(crate) fn gauge(&self, name: &str, help: &str) -> IntGauge {
        self.registered(IntGauge::new(name, help))
    }

    /// A gauge for each of `values`.
    pub(crate) fn gauges<const N: usize>(&self, name: &str, help: &str, label: &str, values: [&str; N]) -> IntGaugeVec {
        let gauges = self.registered(IntGaugeVec::new(Opts::new(name, help), &[label]));
        for value in values {
            gauges.with_label_values(&[value]);
        }
        gauges
    }

    /// A gauge that is set whenever it is scraped.
    pub(crate) fn read_gauge(&self, name: &str, help: &str, read: impl Fn() -> usize + Send + Sync + 'static) {
        let gauge = IntGauge::new(name, help).expect("the name is valid");
        self.collector(ReadGauge { gauge, read });
    }

    /// A histogram with these upper bounds.
    pub(crate) fn histogram(&self, name: &str, help: &str, bounds: &[f64]) -> Histogram {
        self.registered(Histogram::with_opts(HistogramOpts::new(name, help).buckets(bounds.to_vec())))
    }

    /// A histogram for each of `values`.
    pub(crate) fn histograms<const N: usize>(
        &self,
        name: &str,
        help: &str,
        bounds: &[f64],
        label: &str,
        values: [&str; N],
    ) -> HistogramVec {
        let opts = HistogramOpts::new(name, help).buckets(bounds.to_vec());
        let histograms = self.registered(HistogramVec::new(opts, &[label]));
        for value in values {
            histograms.with_label_values(&[value]);
        }
        histograms
    }
}

/// Something there is `count` of, as a gauge has it.
pub(crate) fn gauge_value(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

struct ReadGauge<R> {
    gauge: IntGauge,
    read: R,
}

impl<R: Fn() -> usize + Send + Sync> Collector for ReadGauge<R> {
    fn desc(&self) -> Vec<&Desc> {
        self.gauge.desc()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        self.gauge.set(gauge_value((self.read)()));
        self.gauge.collect()
    }
}
